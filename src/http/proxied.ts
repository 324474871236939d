import type { Server, Socket } from "node:net";
import { peerOf } from "../base/peer.ts";
import { type Proxied, readProxyHeader } from "../base/proxy-header.ts";
import { type ProxyRefusals, proxyRefusals } from "../base/proxy-refusals.ts";
import type { Address } from "../model/address.ts";
import type { Inventory } from "../model/inventory.ts";
import type { Log } from "../model/log.ts";
import { compileTrusted } from "./client-address.ts";

/** A connection's four-tuple, which is the same whatever protocols are put upon it. */
type Ends = Pick<Socket, "remoteAddress" | "remotePort" | "localAddress" | "localPort">;

/** Connections whose balancer has told by a PROXY header whom they are for. */
export interface ProxiedConnections {
  /** Has a server see connections from balancers only once their header has been read, and without it. */
  readonly guard: (server: Server) => void;
  note(socket: Socket, proxied: Proxied): void;
  /** Whether the peer's connections begin with a header. */
  isBalancer(peer: Address): boolean;
  of(socket: Ends | undefined): Proxied | undefined;
  take(inventory: Pick<Inventory, "proxyProtocol">): void;
  /** Closes those whose header has not come. */
  stop(): void;
}

export interface ProxiedOptions extends Pick<Inventory, "proxyProtocol"> {
  readonly timeoutMs: number;
  readonly onRefused: () => void;
  readonly log: Log;
}

export function createProxied(options: ProxiedOptions): ProxiedConnections {
  const { timeoutMs, onRefused } = options;
  const proxied = new Map<string, Proxied>();
  const waiting = new Set<Socket>();
  const tell: ProxyRefusals = proxyRefusals(options.log);
  let isBalancer = balancersOf(options);

  const note = (socket: Socket, told: Proxied): void => {
    const key = keyOf(socket);
    proxied.set(key, told);
    socket.once("close", () => {
      // The next connection may have come from the same port already.
      if (proxied.get(key) === told) proxied.delete(key);
    });
  };

  const refuse = (socket: Socket, reason: string): void => {
    onRefused();
    tell.refused(peerOf(socket), reason);
    socket.destroy();
  };

  /** What follows the header is put back. */
  const readHeader = (socket: Socket, admit: () => void): void => {
    let come = Buffer.alloc(0);
    const over = (): void => {
      waiting.delete(socket);
      clearTimeout(timer);
      socket.off("readable", read).off("end", gone).off("close", over);
    };
    const gone = (): void => void socket.destroy();
    const read = (): void => {
      come = Buffer.concat([come, (socket.read() as Buffer | null) ?? Buffer.alloc(0)]);
      const header = readProxyHeader(come);
      if (header.kind === "incomplete") return;
      over();
      if (header.kind === "malformed") return refuse(socket, header.reason);
      if (header.proxied !== undefined) note(socket, header.proxied);
      if (come.length > header.length) socket.unshift(come.subarray(header.length));
      socket.off("error", ignore);
      admit();
    };
    const timer = setTimeout(() => {
      over();
      refuse(socket, "it has not come in time");
    }, timeoutMs);
    waiting.add(socket);
    socket.on("error", ignore).on("readable", read).once("end", gone).once("close", over);
  };

  return {
    note,
    isBalancer: (peer) => isBalancer?.(peer) === true,
    guard(server) {
      const [serve] = server.listeners("connection") as ((socket: Socket) => void)[];
      if (serve === undefined) throw new Error("a server that serves no connection");
      server.off("connection", serve);
      server.prependListener("connection", (socket: Socket) => {
        if (isBalancer?.(peerOf(socket)) === true) readHeader(socket, () => serve.call(server, socket));
        else serve.call(server, socket);
      });
    },
    of: (socket) => (proxied.size === 0 || socket === undefined ? undefined : proxied.get(keyOf(socket))),
    take(inventory) {
      isBalancer = balancersOf(inventory);
    },
    stop: () => waiting.forEach((socket) => socket.destroy()),
  };
}

/** Absent where there are none, so that nobody's address has to be looked up. */
function balancersOf(inventory: Pick<Inventory, "proxyProtocol">): ((peer: Address) => boolean) | undefined {
  return inventory.proxyProtocol === undefined ? undefined : compileBalancers(inventory);
}

/** Whether a peer's connections begin with a PROXY header. */
export function compileBalancers({
  proxyProtocol,
}: Pick<Inventory, "proxyProtocol">): (peer: Address) => boolean {
  return proxyProtocol === undefined ? () => false : compileTrusted(proxyProtocol.from);
}

function keyOf({ remoteAddress, remotePort, localAddress, localPort }: Ends): string {
  return `${remoteAddress} ${remotePort} ${localAddress} ${localPort}`;
}

function ignore(): void {}
