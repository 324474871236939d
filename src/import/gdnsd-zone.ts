import { MAX_NAME_LENGTH } from "../base/domain-name.ts";
import { type Note, notesOn, type Original } from "./draft.ts";
import { isHostname } from "./host.ts";

/** A name that gdnsd's geoip plugin answers for. */
export interface DynamicName {
  readonly hostname: string;
  readonly resource: string;
  /** Where one alone answers. */
  readonly datacenter?: string;
  readonly ttlSeconds?: number;
}

/** Of a record that another plugin answers, what it names. */
const OF_OTHERS = /^\S*\s+(?:.*\s)?DYN[AC]\s+(\S+)/i;
/** An owner or none, TTL and class in any order. */
const DYNAMIC = /^\S*\s+(.*?)\bDYN[AC]\s+geoip!([^\s/]+)(?:\/(\S+))?/i;
const RECORD = /^\S*\s+(?:(?:IN|\d+[smhdw]?(?:\/\d+[smhdw]?)?)\s+)*([A-Z][A-Z\d]*)\s/i;
/** The largest and, behind a slash, the smallest. */
const TTL = /\b(\d+)([smhdw]?)(?:\/\d+[smhdw]?)?\s/i;

export function isZoneFile({ text }: Original): boolean {
  return /^\S*\s.*\bSOA\s/im.test(text) && !/\bplugins\s*=/.test(text);
}

/** The file's name is the zone's, as gdnsd has it (`@` stands for `/` there). */
export function dynamicNamesIn(original: Original): { names: DynamicName[]; notes: Note[] } {
  const { file, text } = original;
  const { notes, note } = notesOn(original);
  const zone = file.replace(/^.*\//, "").replaceAll("@", "/").replace(/\.$/, "").toLowerCase();
  let [origin, owner] = [zone, "@"];
  let others = 0;
  const names = text.split("\n").flatMap((line, i): DynamicName[] => {
    const written = line.replace(/;.*$/, "");
    const moved = /^\$ORIGIN\s+(\S+)/i.exec(written)?.[1];
    if (moved !== undefined) origin = absolute(moved, origin, zone);
    if (/^\$INCLUDE\b/i.test(written)) note("$INCLUDE is not followed; give that file, too", i + 1);
    owner = /^[^\s$]\S*/.exec(written)?.[0] ?? owner;
    const [, before = "", resource, datacenter] = DYNAMIC.exec(written) ?? [];
    const other = resource === undefined ? OF_OTHERS.exec(written)?.[1] : undefined;
    if (other !== undefined) {
      note(`${absolute(owner, origin, zone)}: is answered by ${other}, which is not carried over`, i + 1);
      return [];
    }
    if (resource === undefined) {
      if (!written.startsWith("$") && !GIVEN.has(RECORD.exec(written)?.[1]?.toUpperCase() ?? "SOA")) others++;
      return [];
    }
    const [, ttl, unit = ""] = TTL.exec(before) ?? [];
    const hostname = absolute(owner, origin, zone);
    if (hostname.length > MAX_NAME_LENGTH || !isHostname(hostname.replace(/^\*\./, ""))) {
      note(`${hostname} is no hostname; left out`, i + 1);
      return [];
    }
    return [
      {
        hostname,
        resource,
        ...(datacenter === undefined ? {} : { datacenter }),
        ...(ttl === undefined ? {} : { ttlSeconds: Number(ttl) * (SECONDS[unit.toLowerCase()] ?? 1) }),
      },
    ];
  });
  if (others > 0)
    note(
      `its other records, ${others}, are not carried over; write them under zones, or delegate the hostnames`,
    );
  return { names, notes };
}

/** Records that each of our zones has of its own. */
const GIVEN: ReadonlySet<string> = new Set(["SOA", "NS"]);
const SECONDS: { readonly [unit: string]: number } = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 };

/** `@Z` and `@F` are the zone, as is `@` until $ORIGIN moves it. */
function absolute(name: string, origin: string, zone: string): string {
  const [, label = name, sign] = /^(?:(.*)\.)?(@[ZF]?)$/i.exec(name) ?? [];
  if (sign !== undefined) {
    const end = sign === "@" ? origin : zone;
    return (label === name ? end : `${label}.${end}`).toLowerCase();
  }
  return (name.endsWith(".") ? name.slice(0, -1) : `${name}.${origin}`).toLowerCase();
}
