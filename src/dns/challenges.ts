import type { ChallengeValues } from "../model/acme.ts";
import { type WireName, wireName } from "./name.ts";
import { createNameTable } from "./name-table.ts";
import type { RecordsHolding } from "./holding.ts";
import type { Namespace } from "./namespace.ts";
import { recordSet } from "./records.ts";
import { TYPE } from "./wire.ts";

/** Not to be kept: the next proof has another value. */
const TTL_SECONDS = 1;

/**
 * The same names with TXT values for certificate authorities over them (RFC 8555 8.4). They stand instead of TXT
 * records and aliases of the file, and make no name above them exist: a wildcard goes on to answer there.
 */
export function withChallenges(namespace: Namespace, values: ChallengeValues): Namespace {
  const nodes = [...values].flatMap(([hostname, texts]) => {
    const name = wireName(`_acme-challenge.${hostname}`);
    const holding = holdingOf(namespace, name, texts);
    return holding === undefined ? [] : [{ name, holding }];
  });
  if (nodes.length === 0) return namespace;
  const table = createNameTable(nodes);
  const findOver = (name: WireName): RecordsHolding | undefined => {
    if (!isChallenge(name)) return undefined;
    const node = table.closest(name);
    return node?.name.labelCount === name.labelCount ? node.holding : undefined;
  };
  return { ...namespace, findOver, find: (name) => findOver(name) ?? namespace.find(name) };
}

function holdingOf(
  namespace: Namespace,
  name: WireName,
  texts: readonly string[],
): RecordsHolding | undefined {
  const under = namespace.find(name);
  if (under === undefined) return undefined;
  const data = texts.map((text) => ({ type: "TXT", strings: [Buffer.from(text, "latin1")] }) as const);
  const set = recordSet(TYPE.TXT, TTL_SECONDS, data, under.zone.name);
  const beside = under.kind === "records" ? under.sets : [];
  return { kind: "records", zone: under.zone, sets: new Map([...beside, [TYPE.TXT, set]]) };
}

/** Cheap, since every query is asked: a first label of 15 octets that starts with an underscore and an a. */
function isChallenge({ octets }: WireName): boolean {
  return octets[0] === 15 && octets[1] === 0x5f && octets[2] === 0x61;
}
