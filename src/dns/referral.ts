import { type WireName, wireName } from "./name.ts";
import type { RecordGroup } from "./record-groups.ts";
import { dataTemplates } from "./records.ts";
import { fixedFields, joined, type RecordSet, setOf, type Template, template, ZONE } from "./template.ts";
import { RECORD_FIXED_OCTETS, TYPE } from "./wire.ts";

/** Where names are to be looked for that the zone has handed over (RFC 1034 4.2.1). */
export interface Referral {
  readonly servers: RecordSet;
  /** To be written behind `servers`, whose names they point to. */
  readonly glue: readonly RecordSet[];
}

/** Addresses of one server and one family. */
export interface GlueData extends RecordGroup {
  readonly server: string;
}

/**
 * NS records and glue with each name written once: a delegation to as many servers as the root has, of both families,
 * passes in one UDP message. What does not costs resolvers a second round by TCP (RFC 9471 3.1).
 * @param glue of servers that are among the names
 */
export function referralOf(
  cut: WireName,
  servers: { readonly names: readonly string[]; readonly ttlSeconds: number },
  glue: readonly GlueData[],
  zone: WireName,
): Referral {
  const names = new WrittenNames(zone);
  const records: Template[] = [];
  let at = 0;
  const put = (part: Template): void => {
    records.push(part);
    at += part.octets.length;
  };
  const { ttlSeconds } = servers;
  for (const server of servers.names) {
    put(names.write(cut, at));
    const data = names.write(wireName(server), at + RECORD_FIXED_OCTETS);
    put(fixedFields(TYPE.NS, ttlSeconds, data.octets.length));
    put(data);
  }
  return {
    servers: { ...joined(records), count: servers.names.length },
    glue: glue.map(({ server, type, ttlSeconds: glueTtlSeconds, data }) =>
      setOf(names.write(wireName(server), FURTHEST), type, glueTtlSeconds, dataTemplates(data, zone)),
    ),
  };
}

/** Names by where they were written, in octets from the start of the referral. */
class WrittenNames {
  readonly #zone: string;
  readonly #written = new Map<string, number>();

  constructor(zone: WireName) {
    this.#zone = suffixOf(zone, 0);
  }

  /** The labels that were not written before, and a pointer to the rest. */
  write(name: WireName, at: number): Template {
    for (let i = 0; i < name.labelCount; i++) {
      const start = name.labelStarts[i] as number;
      const labels = template(name.octets.subarray(0, start));
      const suffix = suffixOf(name, start);
      if (suffix === this.#zone) return joined([labels, ZONE]);
      const to = this.#written.get(suffix);
      if (to !== undefined) return joined([labels, { ...template([0, 0]), backHoles: [{ at: 0, to }] }]);
      if (at + start < FURTHEST) this.#written.set(suffix, at + start);
    }
    return template(name.octets.subarray(0, name.length));
  }
}

function suffixOf({ octets, length }: WireName, start: number): string {
  return Buffer.from(octets.subarray(start, length)).toString("latin1");
}

/** Pointers have 14 bits; a question and a chain of aliases may be in front. */
const FURTHEST = 0x3000;
