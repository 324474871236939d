import type { RecordData, StaticRecord, Zone } from "../model/zone.ts";
import { isWithin, readDomainName } from "./names.ts";
import { VALUE } from "./reading.ts";
import { completeName, readRecordData } from "./record-data.ts";
import { type Report, under } from "./report.ts";
import type { RecordInput, ZoneInput } from "./schema-zone.ts";

/** What a zone's records are held against. */
export interface ZoneSurroundings {
  /** Names of all zones, also of those that are wrong in themselves. */
  readonly zones: readonly string[];
  /** The service that answers for a hostname. */
  readonly services: ReadonlyMap<string, string>;
  /** The service that has an HTTPS or SVCB record at a name in front of its hostname. */
  readonly bound: ReadonlyMap<string, string>;
  readonly serial: number;
}

/** By the names of their keys; a name that is none is reported at its key. */
export function buildZones(
  inputs: ReadonlyMap<string, ZoneInput>,
  surroundings: ZoneSurroundings,
  report: Report,
): Zone[] {
  const built: Zone[] = [];
  for (const [key, input] of inputs) {
    const name = zoneName(key);
    if (name === undefined) continue;
    checkNameservers(input.nameservers, under(report, "zones", key, "nameservers"));
    const records = buildRecords(name, input, surroundings, under(report, "zones", key));
    built.push({
      name,
      nameservers: input.nameservers,
      contact: input.contact,
      ttlSeconds: input.ttl,
      negativeTtlSeconds: input.negativeTtl,
      serial: surroundings.serial,
      records: records.map(({ record }) => record),
    });
  }
  return built;
}

/** A set of records has none twice (RFC 2181 5). */
function checkNameservers(names: readonly string[], report: Report): void {
  for (const [i, name] of names.entries())
    if (names.indexOf(name) < i) report([i], `${VALUE} is listed twice; leave one out`);
}

/** Tells which keys of `zones` are no names, and which are the same name in other letters. */
export function checkZoneNames(keys: readonly string[], reportKey: Report): void {
  const first = new Map<string, string>();
  for (const key of keys) {
    const reading = readDomainName(key);
    const name = zoneName(key);
    if (reading.kind === "refused") reportKey(["zones", key], `the zone's name ${reading.message}`);
    else if (name === undefined) reportKey(["zones", key], "a zone cannot be a wildcard; write a whole name");
    else if (first.has(name))
      reportKey(["zones", key], `the same zone as ${first.get(name)}; keep one of them`);
    else first.set(name, key);
  }
}

/** Lower case and without the final dot; undefined for what is no zone's name. */
export function zoneName(key: string): string | undefined {
  const reading = readDomainName(key);
  return reading.kind === "read" && !reading.value.startsWith("*") ? reading.value : undefined;
}

interface Placed {
  readonly index: number;
  readonly record: StaticRecord;
}

function buildRecords(zone: string, input: ZoneInput, around: ZoneSurroundings, report: Report): Placed[] {
  const placed = input.records.flatMap((each, index): Placed[] => {
    if (each === undefined) return [];
    const record = buildRecord(zone, each, input.ttl, under(report, "records", index));
    return record === undefined ? [] : [{ index, record }];
  });
  const beside = new Map<string, Neighbours>();
  for (const each of placed) {
    const { name } = each.record;
    const tell = under(report, "records", each.index);
    checkPlace(each.record, zone, around, tell);
    const earlier = beside.get(name);
    if (earlier === undefined) beside.set(name, noNeighbours(each));
    else checkNeighbours(each, earlier, tell);
    addNeighbour(each, beside.get(name) as Neighbours);
  }
  return placed;
}

/** The records of one name so far: there may be thousands. */
interface Neighbours {
  readonly first: Placed;
  /** The first of each type. */
  readonly byType: Map<RecordData["type"], Placed>;
  /** What tells their data from all others. */
  readonly data: Set<string>;
}

function noNeighbours(first: Placed): Neighbours {
  return { first, byType: new Map(), data: new Set() };
}

function addNeighbour(each: Placed, { byType, data }: Neighbours): void {
  const { type } = each.record.data;
  if (!byType.has(type)) byType.set(type, each);
  data.add(JSON.stringify(each.record.data));
}

function buildRecord(
  zone: string,
  input: RecordInput,
  ttl: number,
  report: Report,
): StaticRecord | undefined {
  const name = completeName(input.name, zone);
  if (name.kind === "refused") report(["name"], `${VALUE} ${name.message}`);
  const data = readRecordData(input.type, input.data, zone);
  if (data.kind === "refused") report(["data"], `${VALUE} ${data.message}`);
  if (name.kind === "refused" || data.kind === "refused") return undefined;
  return { name: name.value, ttlSeconds: input.ttl ?? ttl, data: data.value };
}

/** Whether the name may have that record at all. */
function checkPlace(
  { name, data }: StaticRecord,
  zone: string,
  around: ZoneSurroundings,
  report: Report,
): void {
  if (!isWithin(name, zone)) {
    report(
      ["name"],
      `${VALUE} is outside the zone ${zone}; without a final dot it is completed with the zone`,
    );
    return;
  }
  const inner = around.zones.find((other) => other.length > zone.length && isWithin(name, other));
  if (inner !== undefined) report(["name"], `${VALUE} belongs to the zone ${inner}; move the record there`);
  const service = around.services.get(name);
  if (service !== undefined && answeredByServices.has(data.type)) {
    report(
      ["name"],
      `${VALUE} is a hostname of the service ${service}, which answers for it; choose another name`,
    );
  }
  const below = data.type === "NS" && name !== zone ? hostnameBelow(name, zone, around) : undefined;
  if (below !== undefined) {
    report(
      ["name"],
      `${VALUE} hands over ${below} with all below it, so that nobody asks here for it; choose another name`,
    );
  }
  const binder = around.bound.get(name);
  if (binder !== undefined && answeredByBindings.has(data.type)) {
    report(["name"], `${VALUE} has a record of the service ${binder} already, by its dns; leave one out`);
  }
  if (name !== zone) return;
  if (data.type === "CNAME") {
    report(
      ["type"],
      "a CNAME cannot stand at the zone itself, beside its SOA and NS (RFC 1034 3.6.2); write A or AAAA",
    );
  }
  if (data.type === "NS") report(["type"], "the zone's own NS come from nameservers; add the name there");
}

/** A service's hostname, or a name in front of one, that is below the name, and in no zone of ours inside this one. */
function hostnameBelow(
  name: string,
  zone: string,
  { zones, services, bound }: ZoneSurroundings,
): string | undefined {
  const isInner = (hostname: string): boolean =>
    zones.some((other) => other.length > zone.length && isWithin(hostname, other));
  return [...services.keys(), ...bound.keys()].find(
    (hostname) => hostname !== name && isWithin(hostname, name) && !isInner(hostname),
  );
}

/** What a static record at a service's hostname would contradict. */
const answeredByServices: ReadonlySet<RecordData["type"]> = new Set(["A", "AAAA", "CNAME", "HTTPS", "NS"]);

const answeredByBindings: ReadonlySet<RecordData["type"]> = new Set(["CNAME", "HTTPS", "NS", "SVCB"]);

/** Whether it can stand beside the records of the same name before it. */
function checkNeighbours({ record }: Placed, earlier: Neighbours, report: Report): void {
  const { data, ttlSeconds } = record;
  const cname = earlier.byType.get("CNAME");
  if (earlier.data.has(JSON.stringify(data))) return report([], "the same record twice; keep one of them");
  if (cname !== undefined || data.type === "CNAME") {
    const other = cname ?? earlier.first;
    const [type, index] = [other.record.data.type, other.index];
    return report(
      ["type"],
      `cannot stand beside the ${type} of records.${index}, of the same name: a CNAME stands alone (RFC 1034 3.6.2)`,
    );
  }
  const set = earlier.byType.get(data.type);
  if (set !== undefined && set.record.ttlSeconds !== ttlSeconds) {
    report([], `has another ttl than records.${set.index}; one name and type has one ttl (RFC 2181 5.2)`);
  }
}
