import { STATUS_CODES } from "node:http";

export interface LoopAnswer {
  readonly status: number;
  readonly headers: { readonly [name: string]: string };
  readonly body: string;
}

/** What an answer says of its connection. */
export type Afterwards = { readonly kind: "close" } | { readonly kind: "keep"; readonly text: string };

/** The fields that node:http sends with a connection that it keeps. */
export function keptAlive(keepAliveTimeoutMs: number, maxRequests: number): Afterwards {
  const seconds = Math.floor(keepAliveTimeoutMs / 1000);
  return {
    kind: "keep",
    text: `Connection: keep-alive\r\nKeep-Alive: timeout=${seconds}, max=${maxRequests}\r\n`,
  };
}

/**
 * The answer as it goes out, with the fields, and in the order, that node:http sends.
 * @param date as Date writes it (RFC 9110 6.6.1)
 */
export function answerText(
  { status, headers, body }: LoopAnswer,
  method: string,
  date: string,
  afterwards: Afterwards,
): string {
  let text = statusLine(status);
  for (const name in headers) text += `${name}: ${headers[name]}\r\n`;
  text += `Date: ${date}\r\n${afterwards.kind === "keep" ? afterwards.text : "Connection: close\r\n"}\r\n`;
  return method === "HEAD" ? text : text + body;
}

const statusLines = new Map<number, string>();

function statusLine(status: number): string {
  let line = statusLines.get(status);
  if (line === undefined) {
    line = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? "unknown"}\r\n`;
    statusLines.set(status, line);
  }
  return line;
}
