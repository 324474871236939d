import type { ChallengeValues } from "../model/acme.ts";
import type { RecordsHolding } from "./holding.ts";
import { endsAs, type WireName, wireName } from "./name.ts";
import type { Namespace } from "./namespace.ts";
import { recordSet } from "./records.ts";
import type { RecordSet } from "./template.ts";
import { TYPE } from "./wire.ts";

/** Not to be kept: the next proof has another value. */
const TTL_SECONDS = 1;

/**
 * The same names with TXT values for certificate authorities over them (RFC 8555 8.4). They stand instead of TXT
 * records and aliases of the file, and make no name above them exist: a wildcard goes on to answer there. Records are
 * made when they are asked for: thousands of hostnames may be about to be proved, and each change is one for all of
 * them.
 */
export function withChallenges(namespace: Namespace, values: ChallengeValues): Namespace {
  if (values.size === 0) return namespace;
  const made = new Map<string, Challenge>();
  const findOver = (name: WireName): RecordsHolding | undefined => {
    if (!isChallenge(name)) return undefined;
    const hostname = hostnameOf(name);
    const texts = values.get(hostname);
    if (texts === undefined) return undefined;
    let challenge = made.get(hostname);
    if (challenge === undefined) made.set(hostname, (challenge = challengeOf(namespace, hostname, texts)));
    // What looks alike as text may have other labels.
    return endsAs(name, 0, challenge.name) ? challenge.holding : undefined;
  };
  return { ...namespace, findOver, find: (name) => findOver(name) ?? namespace.find(name) };
}

interface Challenge {
  readonly name: WireName;
  /** Undefined outside of every zone. */
  readonly holding: RecordsHolding | undefined;
}

function challengeOf(namespace: Namespace, hostname: string, texts: readonly string[]): Challenge {
  const name = wireName(`_acme-challenge.${hostname}`);
  const under = namespace.find(name);
  if (under === undefined) return { name, holding: undefined };
  const data = texts.map((text) => ({ type: "TXT", strings: [Buffer.from(text, "latin1")] }) as const);
  const set = recordSet(TYPE.TXT, TTL_SECONDS, data, under.zone.name);
  const others = under.kind === "records" ? under.sets : [];
  const beside = under.kind === "records" ? under.beside : new Map<number, readonly RecordSet[]>();
  return {
    name,
    holding: { kind: "records", zone: under.zone, sets: new Map([...others, [TYPE.TXT, set]]), beside },
  };
}

/** Cheap, since every query is asked: a first label of 15 octets that starts with an underscore and an a. */
function isChallenge({ octets }: WireName): boolean {
  return octets[0] === 15 && octets[1] === 0x5f && octets[2] === 0x61;
}

/** All labels but the first, as text. */
function hostnameOf({ octets, labelStarts, labelCount }: WireName): string {
  const labels: string[] = [];
  for (let i = 1; i < labelCount; i++) {
    const start = (labelStarts[i] as number) + 1;
    const end = start + (octets[start - 1] as number);
    labels.push(Buffer.from(octets.subarray(start, end)).toString("latin1"));
  }
  return labels.join(".");
}
