import type { Original } from "./draft.ts";

/** A name that gdnsd's geoip plugin answers for. */
export interface DynamicName {
  readonly hostname: string;
  readonly resource: string;
  readonly ttlSeconds?: number;
}

const DYNAMIC = /^(\S*)\s+(?:(\d+)(?:\/\d+)?\s+)?(?:IN\s+)?DYN[AC]\s+geoip!([^\s/]+)/i;

export function isZoneFile({ text }: Original): boolean {
  return /^\S*\s.*\bSOA\s/im.test(text) && !/\bplugins\s*=/.test(text);
}

/** The file's name is the zone's, as gdnsd has it (`@` stands for `/` there). */
export function dynamicNamesIn({ file, text }: Original): DynamicName[] {
  let origin = file.replace(/^.*\//, "").replaceAll("@", "/").replace(/\.$/, "").toLowerCase();
  let owner = "@";
  return text.split("\n").flatMap((line): DynamicName[] => {
    const written = line.replace(/;.*$/, "");
    const moved = /^\$ORIGIN\s+(\S+)/i.exec(written)?.[1];
    if (moved !== undefined) origin = absolute(moved, origin);
    owner = /^[^\s$]\S*/.exec(written)?.[0] ?? owner;
    const [, , ttl, resource] = DYNAMIC.exec(written) ?? [];
    if (resource === undefined) return [];
    return [
      {
        hostname: absolute(owner, origin),
        resource,
        ...(ttl === undefined ? {} : { ttlSeconds: Number(ttl) }),
      },
    ];
  });
}

function absolute(name: string, origin: string): string {
  if (name === "@") return origin;
  return (name.endsWith(".") ? name.slice(0, -1) : `${name}.${origin}`).toLowerCase();
}
