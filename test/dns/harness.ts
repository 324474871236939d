import type { DnsCounters, Transport } from "../../src/dns/counters.ts";
import { compileNamespace } from "../../src/dns/namespace.ts";
import { createResponder, type Responder, type ResponderOptions } from "../../src/dns/responder.ts";
import { decide, SERVICES, ZONES } from "./fixture.ts";

export const UNCOUNTED: DnsCounters = {
  request() {},
  response() {},
  dropped() {},
  slipped() {},
  duration() {},
};

/** A responder without sockets. */
export function responder(options: Partial<ResponderOptions> = {}): Responder {
  return createResponder({
    namespace: compileNamespace(ZONES, SERVICES),
    decide,
    counters: UNCOUNTED,
    cookieSecrets: () => [Buffer.from("e5e973e5a6b2a43f48e7dc849e37bfcf", "hex")],
    onFault: () => {},
    ...options,
  });
}

const OUT = new Uint8Array(65_535);
const SOURCE = Uint8Array.of(127, 0, 0, 1);

/** A copy of the reply; undefined if there is none. */
export function reply(
  from: Responder,
  packet: Uint8Array,
  transport: Transport = "udp",
  source: Uint8Array = SOURCE,
): Buffer | undefined {
  const octets = from.respond(packet, packet.length, source, transport, OUT);
  return octets === 0 ? undefined : Buffer.from(OUT.subarray(0, octets));
}
