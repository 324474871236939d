import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { type Clock, systemClock } from "../base/clock.ts";
import type { Endpoint } from "../model/inventory.ts";
import type { Log } from "../model/log.ts";
import type { DnsCounters } from "./counters.ts";
import { type Connections, networkOf, type Seat } from "./connections.ts";
import { framed, MessageReader } from "./framing.ts";
import { BACKLOG, type Listener, listenError } from "./listen.ts";
import type { Responder } from "./responder.ts";
import { sourceOctets } from "./source.ts";
import { MAX_MESSAGE_OCTETS } from "./wire.ts";

export interface TcpOptions {
  readonly respond: Responder["respond"];
  readonly dropped: DnsCounters["dropped"];
  /** Of all addresses together. */
  readonly connections: Connections;
  readonly log: Log;
  readonly clock?: Clock;
}

/**
 * Answers on one TCP address (RFC 7766): any number of queries on a connection, answered in order. Who
 * does not fetch answers is not read from.
 * @throws an Error of one line if it cannot be listened on
 */
export async function listenTcp(endpoint: Endpoint, options: TcpOptions): Promise<Listener> {
  const { connections, clock = systemClock } = options;
  const out = new Uint8Array(MAX_MESSAGE_OCTETS);
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) =>
    converse(socket, options, out, clock),
  );
  await listen(server, endpoint);
  server.on("error", (error) => options.log.warn({ error: error.message }, "TCP listener"));
  const sweeper = setInterval(() => connections.sweep(clock.monotonicMs()), SWEEP_MS);
  return {
    endpoint: { host: endpoint.host, port: (server.address() as AddressInfo).port },
    stop: async () => {
      clearInterval(sweeper);
      connections.closeAll();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** How late an idle connection may be found. */
const SWEEP_MS = 250;

/** Until so much is answered, others wait: about a millisecond. */
const TURN_OCTETS = 16_384;

function converse(
  socket: Socket,
  { respond, dropped, connections }: Pick<TcpOptions, "respond" | "dropped" | "connections">,
  out: Uint8Array,
  clock: Clock,
): void {
  const source = sourceOctets(socket.remoteAddress);
  if (source.length === 0) {
    socket.destroy(); // gone before it was accepted
    return;
  }
  const reader = new MessageReader();
  const seat: Seat = {
    network: networkOf(source),
    activeMs: clock.monotonicMs(),
    close: () => socket.destroy(),
  };
  let isEnded = false;
  let isRefused = false;

  const turn = (): void => {
    if (socket.destroyed) return;
    const result = answerSome(
      socket,
      reader,
      (message) => respond(message, message.length, source, "tcp", out),
      out,
    );
    if (result.answered > 0) connections.touch(seat, clock.monotonicMs());
    switch (result.kind) {
      case "nonsense":
        isRefused = true;
        socket.end(); // what was answered before goes out
        socket.pause();
        return;
      case "blocked":
        socket.pause();
        socket.once("drain", turn);
        return;
      case "more":
        socket.pause();
        setImmediate(turn);
        return;
      case "empty":
        if (isEnded) socket.end();
        else socket.resume();
    }
  };

  connections.join(seat);
  socket.on("data", (chunk) => {
    reader.push(chunk);
    turn();
  });
  socket.on("end", () => {
    isEnded = true;
    turn();
  });
  socket.on("error", () => socket.destroy()); // a client that went away
  socket.on("close", () => {
    connections.leave(seat);
    if (reader.isAmidMessage && !isRefused) dropped("incomplete");
  });
}

/** nonsense: not a DNS query; blocked: answers are not fetched; more: queries are left for the next turn. */
interface Turn {
  readonly kind: "nonsense" | "blocked" | "more" | "empty";
  readonly answered: number;
}

function answerSome(
  socket: Socket,
  reader: MessageReader,
  respond: (message: Uint8Array) => number,
  out: Uint8Array,
): Turn {
  let answered = 0;
  let octetsOut = 0;
  let kind: Turn["kind"] = "more";
  socket.cork();
  while (octetsOut < TURN_OCTETS) {
    const message = reader.next();
    const octets = message === undefined ? 0 : respond(message);
    if (octets === 0) {
      kind = message === undefined ? "empty" : "nonsense";
      break;
    }
    socket.write(framed(out, octets));
    octetsOut += octets;
    answered++;
  }
  socket.uncork();
  if (kind !== "nonsense" && socket.writableNeedDrain) kind = "blocked";
  return { kind, answered };
}

function listen(server: Server, endpoint: Endpoint): Promise<void> {
  return new Promise((resolve, reject) => {
    const failed = (error: Error): void => reject(listenError(endpoint, "tcp", error));
    server.once("error", failed);
    server.listen(
      { host: endpoint.host, port: endpoint.port, ipv6Only: true, exclusive: true, backlog: BACKLOG },
      () => {
        server.off("error", failed);
        resolve();
      },
    );
  });
}
