import { finished, type Steps } from "../base/steps.ts";
import { endsAs, grownHash, ROOT_HASH, suffixStart, type WireName } from "./name.ts";

/** Names of a tree by the hash of their octets; filled once, then only asked. */
export interface NameTable<Node extends TreeNode> {
  /** The node of the longest suffix of the name that is in the tree (the closest encloser, RFC 4592 3.3.1). */
  closest(name: WireName): Node | undefined;
}

export interface TreeNode {
  readonly name: WireName;
}

export function createNameTable<Node extends TreeNode>(nodes: readonly Node[]): NameTable<Node> {
  return finished(nameTableInSteps(nodes));
}

/** Names in a step: some tenths of a millisecond. */
const AT_ONCE = 1000;

/** As `createNameTable`. */
export function* nameTableInSteps<Node extends TreeNode>(nodes: readonly Node[]): Steps<NameTable<Node>> {
  const mask = tableSize(nodes.length) - 1;
  const hashes = new Int32Array(mask + 1);
  const slots: (Node | undefined)[] = Array.from({ length: mask + 1 });
  const deepest = nodes.reduce((most, { name }) => Math.max(most, name.labelCount), 0);
  const suffixHashes = new Int32Array(deepest + 1);

  for (const [i, node] of nodes.entries()) {
    if (i % AT_ONCE === AT_ONCE - 1) yield;
    const hash = hashOf(node.name);
    let slot = hash & mask;
    while (slots[slot] !== undefined) slot = (slot + 1) & mask;
    slots[slot] = node;
    hashes[slot] = hash;
  }

  const nodeAt = (name: WireName, labelCount: number): Node | undefined => {
    const hash = suffixHashes[labelCount] as number;
    const start = suffixStart(name, labelCount);
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const node = slots[slot];
      if (node === undefined) return undefined;
      if (hashes[slot] === hash && endsAs(name, start, node.name)) return node;
    }
  };

  return {
    closest(name) {
      const depth = Math.min(name.labelCount, deepest);
      suffixHashes[0] = ROOT_HASH;
      for (let i = 1; i <= depth; i++) {
        suffixHashes[i] = grownHash(suffixHashes[i - 1] as number, name.octets, suffixStart(name, i));
      }
      for (let i = depth; i >= 0; i--) {
        const node = nodeAt(name, i);
        if (node !== undefined) return node;
      }
      return undefined;
    },
  };
}

/** A power of two, at most half full. */
function tableSize(count: number): number {
  let size = 2;
  while (size < count * 2 + 1) size *= 2;
  return size;
}

function hashOf(name: WireName): number {
  let hash = ROOT_HASH;
  for (let i = 1; i <= name.labelCount; i++) hash = grownHash(hash, name.octets, suffixStart(name, i));
  return hash;
}
