import { formatAddress, parseAddress, widthOf } from "../base/address.ts";
import { type Answer, done } from "../cli/answer.ts";
import type { GeoView } from "../cli/views.ts";
import { openGeo } from "../geo/geo.ts";
import type { Inventory } from "../model/inventory.ts";
import { collecting } from "./collecting-log.ts";
import { withInventory } from "./configured.ts";

export function geo(configFile: string, ip: string): Promise<Answer<GeoView>> {
  return withInventory(configFile, (inventory) => locate(inventory, ip));
}

async function locate(inventory: Inventory, ip: string): Promise<Answer<GeoView>> {
  const address = parseAddress(ip);
  if (address === undefined) return { kind: "wrong-usage", message: `${ip} is not an address` };
  const failures: string[] = [];
  const geo = await openGeo({
    files: inventory.geoip,
    places: inventory.places,
    log: collecting(failures),
  });
  geo.stop();
  if (failures.length > 0 && geo.databases().every(({ builtAtMs }) => builtAtMs === undefined))
    return { kind: "no", message: failures.join("\n") };
  const client = { address, prefixLength: widthOf(address.family), from: "asked" } as const;
  const { location, asn, prefix, database } = geo.explain(client);
  return done({
    address: formatAddress(address),
    prefix,
    ...location,
    ...(asn === undefined ? {} : { asn }),
    ...(database === undefined ? {} : { database: database.path }),
  });
}
