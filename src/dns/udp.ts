import { createSocket, type RemoteInfo, type Socket } from "node:dgram";
import type { Endpoint } from "../model/inventory.ts";
import type { Log } from "../model/log.ts";
import type { DnsCounters } from "./counters.ts";
import { type Listener, listenError, MAX_DATAGRAM_OCTETS, RECEIVE_BUFFER_OCTETS } from "./listen.ts";
import type { Responder } from "./responder.ts";
import { isReflectorPort, sourceOctets } from "./source.ts";
import { MAX_UDP_OCTETS } from "./wire.ts";

export interface UdpOptions {
  readonly respond: Responder["respond"];
  readonly counters: DnsCounters;
  readonly log: Log;
}

/**
 * Answers on one UDP address with plain sockets: one system call per packet and direction.
 * @throws an Error of one line if it cannot be listened on
 */
export async function listenUdp(endpoint: Endpoint, options: UdpOptions): Promise<Listener> {
  const type = endpoint.host.includes(":") ? "udp6" : "udp4";
  const socket = createSocket({ type, ipv6Only: type === "udp6", lookup: knownAddress });
  const out = new Uint8Array(MAX_UDP_OCTETS);
  socket.on("message", (packet, remote) => answer(socket, packet, remote, out, options));
  await bind(socket, endpoint);
  // Also what ICMP says of clients that are gone.
  socket.on("error", (error) => options.log.warn({ error: error.message }, "UDP socket"));
  widenBuffer(socket);
  return {
    endpoint: { host: endpoint.host, port: socket.address().port },
    stop: () => new Promise((resolve) => socket.close(() => resolve())),
  };
}

function answer(
  socket: Socket,
  packet: Uint8Array,
  remote: RemoteInfo,
  out: Uint8Array,
  { respond, counters }: UdpOptions,
): void {
  if (isReflectorPort(remote.port)) return counters.dropped("source-port");
  const octets = respond(
    packet,
    Math.min(packet.length, MAX_DATAGRAM_OCTETS),
    sourceOctets(remote.address),
    "udp",
    out,
  );
  if (octets === 0) return;
  // A copy, because the socket may keep it until the system takes it.
  socket.send(Buffer.from(out.subarray(0, octets)), remote.port, remote.address, (error) => {
    if (error !== null) counters.dropped("send-error");
  });
}

/** Replies go to addresses: there is nothing to look up, nor to wait for. */
function knownAddress(
  address: string,
  _options: unknown,
  done: (error: null, address: string, family: number) => void,
): void {
  done(null, address, address.includes(":") ? 6 : 4);
}

function bind(socket: Socket, endpoint: Endpoint): Promise<void> {
  return new Promise((resolve, reject) => {
    const failed = (error: Error): void => reject(listenError(endpoint, "udp", error));
    socket.once("error", failed);
    socket.bind({ address: endpoint.host, port: endpoint.port, exclusive: true }, () => {
      socket.off("error", failed);
      resolve();
    });
  });
}

function widenBuffer(socket: Socket): void {
  try {
    socket.setRecvBufferSize(RECEIVE_BUFFER_OCTETS);
  } catch {
    // Then with what there is.
  }
}
