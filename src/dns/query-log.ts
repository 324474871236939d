import { addressOf, formatAddress, formatPrefix, maskBytes } from "../base/address.ts";
import { type LineRing, putLine } from "../base/line-ring.ts";
import type { Family } from "../model/address.ts";
import type { Decision } from "../model/decision.ts";
import type { QueryLogSettings } from "../model/dns-settings.ts";
import type { Transport } from "./counters.ts";
import type { WireName } from "./name.ts";
import type { ClientSubnet, Query } from "./query.ts";
import { CLASS_IN, OPCODE_QUERY, RCODE, TYPE } from "./wire.ts";

/** What of an answer is told. */
export interface Answered {
  readonly query: Query;
  readonly source: Uint8Array;
  readonly transport: Transport;
  readonly rcode: number;
  readonly scopePrefixLength: number;
  readonly octets: number;
  readonly decision: Decision | undefined;
}

/** Tells of some answers, as lines of JSON in shared memory that another thread writes out. */
export interface QueryLog {
  /** Whether the next answer is one to tell of; the same until that answer is told or passed over. */
  isDue(): boolean;
  tell(answered: Answered): void;
  pass(): void;
  /** Undefined: nothing is told. */
  take(settings: QueryLogSettings | undefined): void;
}

/** @param random 0 <= x < 1 */
export function createQueryLog(
  ring: LineRing,
  settings: QueryLogSettings | undefined,
  random: () => number = Math.random,
  wallMs: () => number = Date.now,
): QueryLog {
  let current = settings;
  let due: boolean | undefined;
  return {
    isDue: () => (due ??= current !== undefined && random() < current.sample),
    pass: () => {
      due = undefined;
    },
    tell(answered) {
      due = undefined;
      if (current === undefined) return;
      const entry = entryOf(answered, current.wholeAddresses);
      putLine(ring, Buffer.from(`${JSON.stringify({ time: timeText(wallMs()), ...entry })}\n`));
    },
    take(next) {
      current = next;
      due = undefined;
    },
  };
}

/** Nobody's own address: what resolvers send as client subnet is no more (RFC 7871 11.1). */
const TRUNCATED = { 4: 24, 6: 48 } as const;

function entryOf(answered: Answered, wholeAddresses: boolean): object {
  const { query, source, transport, rcode, octets, decision, scopePrefixLength } = answered;
  const { subnet } = query;
  const opcode = (query.flags >>> 11) & 0xf;
  return {
    transport,
    client: clientText(source, wholeAddresses),
    ...(subnet.isPresent ? { subnet: subnetText(subnet, wholeAddresses), scope: scopePrefixLength } : {}),
    name: query.questionEnd === 0 ? null : nameText(query.name),
    type: TYPE_NAMES.get(query.type) ?? `TYPE${query.type}`,
    ...(opcode === OPCODE_QUERY ? {} : { opcode }),
    ...(query.class === CLASS_IN ? {} : { class: query.class }),
    rcode: RCODE_NAMES.get(rcode) ?? rcode,
    octets,
    ...(decision === undefined ? {} : decisionEntry(decision)),
  };
}

function decisionEntry({ service, outcome, edges, answers, ttlSeconds, location }: Decision): object {
  return {
    service: service.id,
    outcome: outcome.kind,
    edges: edges.slice(0, answers ?? service.dns.answers).map(({ edge }) => edge.id),
    ttl: ttlSeconds,
    ...(location.country === undefined ? {} : { country: location.country }),
  };
}

function clientText(source: Uint8Array, isWhole: boolean): string {
  const address = addressOf(source.slice());
  return isWhole
    ? formatAddress(address)
    : prefixText(address.family, address.bytes, TRUNCATED[address.family]);
}

function subnetText({ family, address, sourcePrefixLength }: ClientSubnet, isWhole: boolean): string {
  const own: Family = family === 2 ? 6 : 4;
  const length = isWhole ? sourcePrefixLength : Math.min(sourcePrefixLength, TRUNCATED[own]);
  return prefixText(own, address.slice(0, own === 4 ? 4 : 16), length);
}

function prefixText(family: Family, bytes: Uint8Array, length: number): string {
  return formatPrefix({ family, bytes: maskBytes(bytes, length), length });
}

/** In presentation form (RFC 1035 5.1), with the final dot. */
function nameText({ octets, labelStarts, labelCount }: WireName): string {
  let text = "";
  for (let i = 0; i < labelCount; i++) {
    const start = labelStarts[i] as number;
    const end = start + (octets[start] as number);
    for (let at = start + 1; at <= end; at++) text += octetText(octets[at] as number);
    text += ".";
  }
  return text === "" ? "." : text;
}

function octetText(octet: number): string {
  if (octet <= 0x20 || octet >= 0x7f) return `\\${String(octet).padStart(3, "0")}`;
  return octet === 0x2e || octet === 0x5c ? `\\${String.fromCharCode(octet)}` : String.fromCharCode(octet);
}

function timeText(wallMs: number): string {
  return new Date(wallMs).toISOString();
}

const TYPE_NAMES: ReadonlyMap<number, string> = namesOf(TYPE);
const RCODE_NAMES: ReadonlyMap<number, string> = namesOf(RCODE);

function namesOf(numbers: Readonly<Record<string, number>>): Map<number, string> {
  return new Map(Object.entries(numbers).map(([name, number]) => [number, name]));
}
