/** What zones may say, and resolvers or mail servers stumble over: `check` notes it. */
import type { Holding } from "../dns/holding.ts";
import { MAX_ALIASES } from "../dns/compile-holdings.ts";
import { compileNamespace, type Namespace } from "../dns/namespace.ts";
import { wireName } from "../dns/name.ts";
import { typeOf } from "../dns/records.ts";
import { MAX_MESSAGE_OCTETS, TYPE } from "../dns/wire.ts";
import type { Inventory } from "../model/inventory.ts";
import type { Note } from "../model/problem.ts";
import type { RecordData, StaticRecord, Zone } from "../model/zone.ts";

export function zoneNotes({ zones, services, dns }: Inventory): Note[] {
  const namespace = compileNamespace(zones, services, dns);
  const find: Find = (name) => namespace.find(name);
  return zones.flatMap((zone) => {
    const names = namesOf(zone);
    return [
      ...zone.nameservers.flatMap((host, i) =>
        notesAt(
          ["zones", zone.name, "nameservers", i],
          bareFlaw(host, zone) ?? hostFlaw(host, "a nameserver", find),
        ),
      ),
      ...zone.records.flatMap((record, i) =>
        notesAt(
          ["zones", zone.name, "records", i],
          doubledFlaw(record, zone) ?? recordFlaw(record, names, find),
        ),
      ),
    ];
  });
}

/** What records of a zone are held against; there may be thousands of each. */
interface ZoneNames {
  readonly nameservers: ReadonlySet<string>;
  readonly withAddress: ReadonlySet<string>;
  /** Sets of which it was said that they are too long, by name and type. */
  readonly tooLong: Set<string>;
}

function namesOf({ records }: Zone): ZoneNames {
  const nameservers = records.flatMap(({ data }) => (data.type === "NS" ? [data.target] : []));
  const withAddress = records.flatMap(({ name, data }) => (isAddress(data) ? [name] : []));
  return { nameservers: new Set(nameservers), withAddress: new Set(withAddress), tooLong: new Set() };
}

function isAddress({ type }: RecordData): boolean {
  return type === "A" || type === "AAAA";
}

type Find = Namespace["find"];

function notesAt(path: Note["path"], message: string | undefined): Note[] {
  return message === undefined ? [] : [{ path, message }];
}

/** Names of records go on with the zone's, those of nameservers do not. */
function bareFlaw(host: string, zone: Zone): string | undefined {
  return host.includes(".") || host === ""
    ? undefined
    : `${host} is a name at the root, where no server is; write the whole name, as ${host}.${zone.name}`;
}

/** A whole name without its final dot, which the zone's name was put behind. */
function doubledFlaw({ name }: StaticRecord, zone: Zone): string | undefined {
  return name.endsWith(`.${zone.name}.${zone.name}`) || name === `${zone.name}.${zone.name}`
    ? `${name} has the zone's name twice; end a whole name with a dot, or leave the zone's out`
    : undefined;
}

function recordFlaw({ name, data }: StaticRecord, zone: ZoneNames, find: Find): string | undefined {
  const own = find(wireName(name));
  const isDelegation = data.type === "NS";
  if (own?.kind === "referral" && !isDelegation && !isGlue(name, data, zone))
    return `${name} is handed over to other servers by NS records, so that nobody asks here for it; leave it out`;
  const set = `${name} ${data.type}`;
  if (isTooLong(own, data) && !zone.tooLong.has(set)) {
    zone.tooLong.add(set);
    return `the ${data.type} records of ${name} do not fit a message together (65,535 octets); shorten them`;
  }
  switch (data.type) {
    case "NS":
      if (name.startsWith("*."))
        return `NS records at a wildcard as ${name} hand nothing over (RFC 4592 4.2); name each delegation`;
      return isAtOrBelow(data.target, name) && !zone.withAddress.has(data.target)
        ? `${data.target} has no A or AAAA record here, and is found nowhere else: nobody can reach ${name}; add its address`
        : hostFlaw(data.target, "a nameserver", find);
    case "MX":
      return hostFlaw(data.exchange, "a mail server", find);
    case "SRV":
      return hostFlaw(data.target, "a server", find);
    case "CNAME":
      return aliasFlaw(name, data.target, own, find);
    default:
      return undefined;
  }
}

/** What is wrong with a host that others are told to go to (RFC 2181 10.3, RFC 2782); nothing, where it is not ours. */
function hostFlaw(host: string, what: string, find: Find): string | undefined {
  const at = host === "" ? undefined : find(wireName(host));
  switch (at?.kind) {
    case "alias":
      return `${host} is an alias, which ${what} must not be (RFC 2181 10.3); name what it leads to`;
    case "absent":
      return `${host} does not exist here, and ${what} needs an address; add its A or AAAA record`;
    case "records":
      return at.sets.has(TYPE.A) || at.sets.has(TYPE.AAAA)
        ? undefined
        : `${host} has no address here, and ${what} needs one; add its A or AAAA record`;
    default:
      return undefined;
  }
}

function aliasFlaw(name: string, target: string, own: Holding | undefined, find: Find): string | undefined {
  if (own?.kind !== "alias") return undefined;
  const { aliases, end } = own.chain;
  if (end?.kind === "absent") {
    const where = aliases.length > 0 ? `over ${target} to a name that` : `to ${target}, which`;
    return `${name} leads ${where} does not exist here; add that, or end a whole name with a dot`;
  }
  const last = aliases.at(-1) ?? own;
  const next = end === undefined ? find(last.target) : undefined;
  if (next?.kind !== "alias") return undefined;
  return next === own || aliases.includes(next)
    ? `${name} leads back to an alias, so that nobody gets anywhere; name a host`
    : `${name} leads over more than the ${MAX_ALIASES} aliases that are followed in one answer; name what is at their end`;
}

/** Over TCP too, with a question and EDNS (RFC 1035 4.2.2). */
function isTooLong(own: Holding | undefined, data: RecordData): boolean {
  if (own?.kind !== "records" && own?.kind !== "service") return false;
  const set = own.sets.get(typeOf(data));
  return set !== undefined && set.octets.length > MAX_MESSAGE_OCTETS - MOST_BESIDE_OCTETS;
}

/** Header, the longest question, and OPT with all that may be in it. */
const MOST_BESIDE_OCTETS = 512;

/** Whether it is an address of a nameserver that NS records of the zone name. */
function isGlue(name: string, data: RecordData, { nameservers }: ZoneNames): boolean {
  return isAddress(data) && nameservers.has(name);
}

function isAtOrBelow(name: string, above: string): boolean {
  return name === above || name.endsWith(`.${above}`);
}
