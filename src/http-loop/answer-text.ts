import { STATUS_CODES } from "node:http";

export interface LoopAnswer {
  readonly status: number;
  /** With a `location`, of few that come again and again. */
  readonly headers: { readonly [name: string]: string };
  /** Goes behind the headers; of printable ASCII. */
  readonly location?: string;
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
 * The end of an answer's header.
 * @param date as Date writes it (RFC 9110 6.6.1) */
export function tailText(date: string, afterwards: Afterwards): string {
  return `Date: ${date}\r\n${afterwards.kind === "keep" ? afterwards.text : "Connection: close\r\n"}\r\n`;
}

/**
 * The answer as it goes out, with the fields, and in the order, that node:http sends.
 * @param tail as from `tailText`
 */
export function answerText(answer: LoopAnswer, method: string, tail: string): string {
  const { location, body } = answer;
  const head = location === undefined ? headText(answer) : `${knownHead(answer)}Location: ${location}\r\n`;
  return method === "HEAD" ? head + tail : head + tail + body;
}

function headText({ status, headers }: LoopAnswer): string {
  let text = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? "unknown"}\r\n`;
  for (const name in headers) text += `${name}: ${headers[name]}\r\n`;
  return text;
}

interface KnownHead {
  readonly status: number;
  readonly text: string;
}

const heads = new WeakMap<LoopAnswer["headers"], KnownHead>();

function knownHead(answer: LoopAnswer): string {
  const { status, headers } = answer;
  let head = heads.get(headers);
  if (head?.status !== status) heads.set(headers, (head = { status, text: headText(answer) }));
  return head.text;
}
