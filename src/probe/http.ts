import type { Address } from "../model/address.ts";
import type { HttpProbe } from "../model/edge.ts";
import { attempt, type ProbeContext } from "./attempt.ts";
import { get, type HttpReply, readHead } from "./request.ts";
import { ProbeError, type ProbeResult } from "./result.ts";

const BODY_LIMIT = 64 * 1024;

/**
 * Success: the edge answers with an expected status and the expected headers, and where a text is asked for,
 * it stands within the first 64 KiB of the body.
 */
export function probeHttp(address: Address, probe: HttpProbe, context: ProbeContext): Promise<ProbeResult> {
  return attempt(probe.timeoutMs, context, async (attempt) => {
    const reply = await get(attempt, address, probe, context, { step: "reply" });
    if (!probe.status.includes(reply.statusCode)) throw new ProbeError("status", String(reply.statusCode));
    for (const [name, pattern] of Object.entries(probe.headers ?? {})) expectHeader(reply, name, pattern);
    const { body: text } = probe;
    if (text !== undefined) await attempt.step("body", () => expectText(reply.body, text));
  });
}

/** One of the values of a header that stands there several times is enough. */
function expectHeader(reply: HttpReply, name: string, pattern: string): void {
  const values = [reply.headers[name] ?? []].flat();
  if (!values.some((value) => matches(value, pattern))) throw new ProbeError("header", name);
}

/** `*` stands for any text; takes time in proportion to both lengths, whatever an edge sends. */
export function matches(text: string, pattern: string): boolean {
  const [first = "", ...rest] = pattern.toLowerCase().split("*");
  const value = text.toLowerCase();
  const last = rest.pop();
  if (last === undefined) return value === first;
  if (!value.startsWith(first)) return false;
  let at = first.length;
  for (const part of rest) {
    const found = value.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return value.length - at >= last.length && value.endsWith(last);
}

async function expectText(body: AsyncIterable<Buffer>, text: string): Promise<void> {
  const head = await readHead(body, BODY_LIMIT, (head) => head.includes(text));
  if (!head.includes(text)) throw new ProbeError("body");
}
