import { deserialize, serialize } from "node:v8";
import { finished, type Steps } from "../base/steps.ts";
import type { Edge } from "../model/edge.ts";
import type { Inventory } from "../model/inventory.ts";
import type { Service } from "../model/service.ts";

/**
 * An inventory as `v8.serialize` writes it, in memory that all threads share: in parts, so that whoever unpacks it can
 * do something else in between.
 */
export type PackedInventory = readonly Uint8Array[];

/** Edges, or a service's references to edges, in a part: some tenths of a millisecond to unpack. */
const EDGES_AT_ONCE = 50;
const REFERENCES_AT_ONCE = 2500;
/** What the rest of a service counts for. */
const REFERENCES_FOR_A_SERVICE = 25;

type Part = Partial<Pick<Inventory, "edges" | "services">> & { readonly rest?: Inventory };

export function packInventory(inventory: Inventory): PackedInventory {
  return alreadyPacked.get(inventory) ?? finished(packInSteps(inventory));
}

/** So that `packInventory` has it done already. */
export function* packInSteps(inventory: Inventory): Steps<PackedInventory> {
  const parts: Uint8Array[] = [];
  for (const part of partsOf(inventory)) {
    parts.push(packed(part));
    yield;
  }
  alreadyPacked.set(inventory, parts);
  return parts;
}

/** Doors of different kinds have threads of their own, which are given the same. */
const alreadyPacked = new WeakMap<Inventory, PackedInventory>();

function partsOf(inventory: Inventory): Part[] {
  const { edges, services } = inventory;
  return [
    { rest: { ...inventory, edges: [], services: [] } },
    ...cut(edges, EDGES_AT_ONCE, () => 1).map((some) => ({ edges: some })),
    ...cut(services, REFERENCES_AT_ONCE, (service) => REFERENCES_FOR_A_SERVICE + service.edges.length).map(
      (some) => ({
        services: some,
      }),
    ),
  ];
}

/** Part by part, and in the end the inventory. */
export function* unpackInSteps(parts: PackedInventory): Steps<Inventory> {
  const edges: Edge[] = [];
  const services: Service[] = [];
  let rest: Inventory | undefined;
  for (const octets of parts) {
    const part = deserialize(octets) as Part;
    rest ??= part.rest;
    edges.push(...(part.edges ?? []));
    services.push(...(part.services ?? []));
    yield;
  }
  if (rest === undefined) throw new Error("an inventory without its rest");
  return { ...rest, edges, services };
}

/** Pieces of at most so much, but for what is more by itself. */
function cut<T>(all: readonly T[], most: number, sizeOf: (one: T) => number): T[][] {
  const pieces: T[][] = [];
  let piece: T[] = [];
  let size = 0;
  for (const one of all) {
    if (piece.length > 0 && size + sizeOf(one) > most) {
      pieces.push(piece);
      piece = [];
      size = 0;
    }
    piece.push(one);
    size += sizeOf(one);
  }
  return piece.length === 0 ? pieces : [...pieces, piece];
}

function packed(part: Part): Uint8Array {
  const octets = serialize(part);
  const shared = new Uint8Array(new SharedArrayBuffer(octets.length));
  shared.set(octets);
  return shared;
}
