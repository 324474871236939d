import type { RecordData } from "../model/zone.ts";
import { groupsOf } from "./record-groups.ts";
import { ownedSet } from "./records.ts";
import type { RecordSet } from "./template.ts";
import { TYPE } from "./wire.ts";
import { type ConfiguredNode, cutAbove, type Tree } from "./zone-tree.ts";

/**
 * What goes with HTTPS and SVCB records of the file, by type: addresses of their targets and records of the same type
 * there, as far as they are in the zone (RFC 9460 4.1) and no service's, which differ by who asks (4.4).
 */
export function targetSets(tree: Tree, node: ConfiguredNode): ReadonlyMap<number, readonly RecordSet[]> {
  if (!node.records.some(({ data }) => targetOf(data).length > 0)) return NOTHING;
  const sets = new Map<number, readonly RecordSet[]>();
  for (const { type, data } of groupsOf(node.records)) {
    const targets = new Set(data.flatMap(targetOf));
    if (targets.size > 0)
      sets.set(
        type,
        [...targets].flatMap((target) => setsAt(tree, node, target, type)),
      );
  }
  return sets;
}

/** OWN where the record is about its owner; an alias to nowhere has none (RFC 9460 2.5). */
function targetOf(data: RecordData): (string | typeof OWN)[] {
  if (data.type !== "SVCB" && data.type !== "HTTPS") return [];
  if (data.target !== "") return [data.target];
  return data.priority === 0 ? [] : [OWN];
}

const NOTHING: ReadonlyMap<number, readonly RecordSet[]> = new Map();
const OWN = Symbol("the owner");

function setsAt(tree: Tree, node: ConfiguredNode, target: string | typeof OWN, type: number): RecordSet[] {
  const at = target === OWN ? node : tree.nodes.get(target);
  if (at === undefined || at.zone !== node.zone || at.hostname !== undefined) return [];
  if (cutAbove(tree, at) !== undefined) return [];
  const owner = target === OWN ? undefined : at.name;
  return groupsOf(at.records)
    .filter((group) => TYPES_OF_ADDRESSES.has(group.type) || (group.type === type && at !== node))
    .map((group) => ownedSet(owner, group.type, group.ttlSeconds, group.data, at.zone.data.name));
}

const TYPES_OF_ADDRESSES: ReadonlySet<number> = new Set([TYPE.A, TYPE.AAAA]);
