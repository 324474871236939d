import { STATUS_CODES, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { looksLikeProxyHeader } from "../base/proxy-header.ts";
import type { RejectedReason } from "./counts.ts";

/** What node:http's parser or timers found wrong with a connection. */
export interface ClientError extends Error {
  readonly code?: string;
  /** The octets that were being parsed. */
  readonly rawPacket?: unknown;
}

export interface ConnectionRefusal {
  readonly status: 400 | 405 | 408 | 413 | 414 | 431;
  readonly reason: RejectedReason;
}

/**
 * Octets have come after a request that closes: nothing is said of them (RFC 9112 9.6), and node:http closes after
 * its answer.
 */
export function isBehindTheLast({ code }: ClientError): boolean {
  return code === "HPE_CLOSED_CONNECTION";
}

/** `undefined`: the client is gone, and nothing is to be said. */
export function refusalOf(
  { code, rawPacket }: ClientError,
  maxTargetLength: number,
): ConnectionRefusal | undefined {
  switch (code) {
    case "HPE_HEADER_OVERFLOW":
      return hasLongTarget(rawPacket, maxTargetLength)
        ? { status: 414, reason: "uri-too-long" }
        : { status: 431, reason: "header-overflow" };
    case "HPE_CHUNK_EXTENSIONS_OVERFLOW":
      return { status: 413, reason: "bad-request" };
    case "ERR_HTTP_REQUEST_TIMEOUT":
      return { status: 408, reason: "timeout" };
    default: {
      if (code?.startsWith("HPE_") !== true) return undefined;
      const isProxyHeader = Buffer.isBuffer(rawPacket) && looksLikeProxyHeader(rawPacket);
      return { status: 400, reason: isProxyHeader ? "proxy-header" : "bad-request" };
    }
  }
}

/** Whether the packet starts a request whose first line alone is too long. */
function hasLongTarget(packet: unknown, maxTargetLength: number): boolean {
  if (!Buffer.isBuffer(packet)) return false;
  const start = packet.toString("latin1", 0, maxTargetLength + 32);
  const target = /^[A-Z-]+ ([^\s]*)/.exec(start)?.[1] ?? "";
  return target.length > maxTargetLength;
}

/**
 * Sends a complete answer, after those that are still due, and closes: at the client's close, or after `lingerMs`, so
 * that octets still under way do not reset the connection before the answer is read (RFC 9112 9.6).
 * @param last the latest answer on this connection
 */
export function refuseConnection(
  socket: Socket,
  last: ServerResponse | undefined,
  status: ConnectionRefusal["status"],
  lingerMs: number,
): void {
  throwAway(socket, lingerMs);
  if (last === undefined || last.writableFinished) socket.end(textOf(status));
  else last.once("finish", () => socket.end(textOf(status)));
}

/** Closes as `refuseConnection` does, after what has been written. */
export function endSlowly(socket: Socket, lingerMs: number): void {
  socket.on("error", () => {}); // the client is gone
  throwAway(socket, lingerMs);
  socket.end();
}

/** What still comes, until the client closes, or for so long. */
export function throwAway(socket: Socket, lingerMs: number): void {
  socket.removeAllListeners("data");
  socket.on("data", () => {}); // thrown away; also takes the socket from the parser
  const timer = setTimeout(() => socket.destroy(), lingerMs);
  socket.once("end", () => socket.destroySoon());
  socket.once("close", () => clearTimeout(timer));
}

function textOf(status: ConnectionRefusal["status"]): string {
  const body = `${status} ${STATUS_CODES[status]}\n`;
  const allow = status === 405 ? "Allow: GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS\r\n" : "";
  return (
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${allow}` +
    "Connection: close\r\nCache-Control: no-store\r\nAccess-Control-Allow-Origin: *\r\n" +
    `Content-Type: text/plain; charset=utf-8\r\nContent-Length: ${body.length}\r\n\r\n${body}`
  );
}
