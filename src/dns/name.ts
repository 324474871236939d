import { MAX_LABELS, MAX_LABEL_OCTETS, MAX_NAME_OCTETS } from "./wire.ts";

/**
 * A name in wire form (RFC 1035 3.1), lower case, uncompressed, with the places where its labels start.
 * Mutable, so that one can be filled again for every query.
 */
export interface WireName {
  readonly octets: Uint8Array;
  /** Octets in use, the root's included. */
  length: number;
  /** Where each label's length octet stands; the root is not counted. */
  readonly labelStarts: Uint8Array;
  labelCount: number;
}

/** An empty one with room for the longest. */
export function createWireName(): WireName {
  return {
    octets: new Uint8Array(MAX_NAME_OCTETS),
    length: 0,
    labelStarts: new Uint8Array(MAX_LABELS),
    labelCount: 0,
  };
}

/**
 * From text without a trailing dot; "" and "." are the root. Text is lowered here.
 * @throws if a label or the name is too long or empty: the configuration has checked it before
 */
export function wireName(text: string): WireName {
  const labels = text === "" || text === "." ? [] : text.toLowerCase().split(".");
  return wireNameOf(labels.map((label) => Buffer.from(label, "latin1")));
}

/** From labels as octets, which may then hold anything, a dot included. */
export function wireNameOf(labels: readonly Uint8Array[]): WireName {
  const length = labels.reduce((sum, label) => sum + 1 + label.length, 1);
  if (length > MAX_NAME_OCTETS) throw new Error(`${textOf(labels)} is a name of ${length} octets`);
  const octets = new Uint8Array(length);
  const labelStarts = new Uint8Array(labels.length);
  let at = 0;
  labels.forEach((label, index) => {
    if (label.length === 0 || label.length > MAX_LABEL_OCTETS)
      throw new Error(`${textOf(labels)} has a label of ${label.length} octets`);
    labelStarts[index] = at;
    octets[at] = label.length;
    octets.set(label, at + 1);
    at += 1 + label.length;
  });
  return { octets, length, labelStarts, labelCount: labels.length };
}

function textOf(labels: readonly Uint8Array[]): string {
  return labels.map((label) => Buffer.from(label).toString("latin1")).join(".");
}

/** Where the last `labelCount` labels and the root start. */
export function suffixStart(name: WireName, labelCount: number): number {
  return labelCount === 0 ? name.length - 1 : (name.labelStarts[name.labelCount - labelCount] as number);
}

/** Whether the name is the suffix or below it. */
export function isBelowOrEqual(name: WireName, suffix: WireName): boolean {
  return name.labelCount >= suffix.labelCount && endsAs(name, suffixStart(name, suffix.labelCount), suffix);
}

/** Whether the name's octets from `start` on are exactly the other name. */
export function endsAs(name: WireName, start: number, other: WireName): boolean {
  if (name.length - start !== other.length) return false;
  for (let i = 0; i < other.length; i++) if (name.octets[start + i] !== other.octets[i]) return false;
  return true;
}

/** The hash of the root, from which those of longer names are grown label by label. */
export const ROOT_HASH = 0x811c9dc5 | 0;

/** The hash of a name with one more label in front (FNV-1a). */
export function grownHash(hash: number, octets: Uint8Array, labelStart: number): number {
  const end = labelStart + (octets[labelStart] as number);
  let grown = hash;
  for (let i = labelStart; i <= end; i++) grown = Math.imul(grown ^ (octets[i] as number), 0x01000193);
  return grown;
}
