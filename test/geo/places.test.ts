import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { contains, formatPrefix, maskBytes, widthOf } from "../../src/base/address.ts";
import { placeTable } from "../../src/geo/places.ts";
import type { Address, Family } from "../../src/model/address.ts";
import type { Place } from "../../src/model/inventory.ts";
import { client, place } from "./clients.ts";

function find(places: readonly Place[], text: string): { place: string | undefined; depth: number } {
  const { address, prefixLength } = client(text);
  const match = placeTable(places).find(address, prefixLength);
  return { place: match.place && formatPrefix(match.place.prefix), depth: match.depth };
}

describe("places", () => {
  it("matches nothing, for everyone, where there are none", () => {
    expect(find([], "192.0.2.1")).toEqual({ place: undefined, depth: 0 });
    expect(find([place("2001:db8::/32")], "192.0.2.1")).toEqual({ place: undefined, depth: 0 });
  });

  it("takes the longest of nested networks", () => {
    const nested = [place("10.0.0.0/8"), place("10.1.2.0/24"), place("10.1.0.0/16")];
    expect(find(nested, "10.1.2.3")).toEqual({ place: "10.1.2.0/24", depth: 24 });
    expect(find(nested, "10.1.3.3").place).toBe("10.1.0.0/16");
    expect(find(nested, "10.2.2.2").place).toBe("10.0.0.0/8");
    expect(find(nested, "11.0.0.0").place).toBeUndefined();
  });

  it("answers for the widest prefix without another place in it", () => {
    const two = [place("10.0.0.0/8"), place("10.1.0.0/16")];
    expect(find(two, "10.0.0.1")).toEqual({ place: "10.0.0.0/8", depth: 16 });
    expect(find(two, "10.128.0.1")).toEqual({ place: "10.0.0.0/8", depth: 9 });
    expect(find(two, "11.0.0.1")).toEqual({ place: undefined, depth: 8 });
    expect(find(two, "192.0.2.1")).toEqual({ place: undefined, depth: 1 });
  });

  it("does not take a network that holds only part of the client subnet, but reaches as deep", () => {
    const one = [place("10.1.2.0/24")];
    expect(find(one, "10.1.0.0/16")).toEqual({ place: undefined, depth: 23 });
    expect(find(one, "10.1.2.0/23")).toEqual({ place: undefined, depth: 24 });
    expect(find(one, "10.1.2.0/24")).toEqual({ place: "10.1.2.0/24", depth: 24 });
    expect(find([place("0.0.0.0/4"), place("10.0.0.0/12")], "10.0.0.0/8")).toEqual({
      place: "0.0.0.0/4",
      depth: 12,
    });
  });

  it("works over the whole width", () => {
    const all = [place("0.0.0.0/0"), place("192.0.2.7/32"), place("::/0"), place("2001:db8::1/128")];
    expect(find(all, "192.0.2.7")).toEqual({ place: "192.0.2.7/32", depth: 32 });
    expect(find(all, "192.0.2.6")).toEqual({ place: "0.0.0.0/0", depth: 32 });
    expect(find(all, "2001:db8::1")).toEqual({ place: "2001:db8::1/128", depth: 128 });
    expect(find(all, "2001:db8::")).toEqual({ place: "::/0", depth: 128 });
  });

  it("lets the later of two equal networks count", () => {
    const twice = [place("10.0.0.0/8", { country: "NL" }), place("10.0.0.0/8", { country: "SG" })];
    const { address } = client("10.0.0.1");
    expect(placeTable(twice).find(address, 32).location).toEqual({
      layer: "places",
      latitude: 1,
      longitude: 2,
      country: "SG",
      continent: "AS",
    });
  });

  it("agrees with trying every network, and is exact in its depth", () => {
    fc.assert(
      fc.property(
        fc.constantFrom<Family>(4, 6),
        networks,
        fc.infiniteStream(fc.nat(255)),
        (family, drafts, octets) => {
          const places = unique(drafts.map(({ bytes, length }) => networkOf(family, bytes, length)));
          const table = placeTable(places);
          for (let round = 0; round < 20; round++) {
            const address = addressNear(family, places, octets);
            const { place: found, depth } = table.find(address, widthOf(family));
            expect(found).toBe(longest(places, address));
            expect(depth).toBe(slowDepth(places, address, found));
          }
        },
      ),
      { numRuns: 300, seed: 20261121 },
    );
  });

  it("knows 10,000 networks apart", () => {
    const many = Array.from({ length: 10_000 }, (_, i) => place(`10.${i >> 8}.${i & 255}.0/24`));
    const table = placeTable(many);
    for (const [i, own] of many.entries()) {
      const { address } = client(`10.${i >> 8}.${i & 255}.99`);
      expect(table.find(address, 32).place).toBe(own);
    }
  });
});

const networks = fc.array(
  fc.record({ bytes: fc.uint8Array({ minLength: 16, maxLength: 16 }), length: fc.nat(128) }),
  { maxLength: 12 },
);

function networkOf(family: Family, bytes: Uint8Array, length: number): Place {
  // Few distinct leading octets, so that networks nest.
  const width = widthOf(family);
  const close = Uint8Array.from(bytes.subarray(0, width / 8), (octet, i) =>
    i < 2 ? octet & 0x81 : octet & 3,
  );
  const bits = length % (width + 1);
  return { prefix: { family, bytes: maskBytes(close, bits), length: bits }, latitude: 0, longitude: 0 };
}

function unique(places: readonly Place[]): Place[] {
  return [...new Map(places.map((p) => [formatPrefix(p.prefix), p])).values()];
}

/** An address inside, or just outside, one of the networks. */
function addressNear(family: Family, places: readonly Place[], octets: Iterator<number>): Address {
  const next = (): number => octets.next().value as number;
  const bytes = Uint8Array.from({ length: widthOf(family) / 8 }, next);
  const near = places[next() % (places.length || 1)];
  if (near === undefined) return { family, bytes };
  const bit = (next() << 8) | next();
  for (let i = 0; i < near.prefix.length; i++) copyBit(bytes, near.prefix.bytes, i);
  const flip = bit % (widthOf(family) * 2);
  if (flip < widthOf(family)) bytes[flip >> 3] = (bytes[flip >> 3] as number) ^ (0x80 >> (flip & 7));
  return { family, bytes };
}

function copyBit(to: Uint8Array, from: Uint8Array, bit: number): void {
  const mask = 0x80 >> (bit & 7);
  to[bit >> 3] = ((to[bit >> 3] as number) & ~mask) | ((from[bit >> 3] as number) & mask);
}

function longest(places: readonly Place[], address: Address): Place | undefined {
  return places
    .filter((p) => contains(p.prefix, address))
    .sort((a, b) => b.prefix.length - a.prefix.length)
    .at(0);
}

/** The shortest length at which the address's prefix lies in the match and holds no other, longer network. */
function slowDepth(places: readonly Place[], address: Address, match: Place | undefined): number {
  const { family } = address;
  for (let length = match?.prefix.length ?? 0; ; length++) {
    const around = { family, bytes: maskBytes(address.bytes, length), length };
    const inside = places.some((p) => p !== match && p.prefix.length >= length && contains(around, p.prefix));
    if (!inside || length === widthOf(family)) return length;
  }
}
