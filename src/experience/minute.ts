import { formatAddress } from "../base/address.ts";
import { firstBits } from "../base/network-group.ts";
import type { Address, Family } from "../model/address.ts";
import { GROUP_BITS, NETWORK_BITS, type PlayerReport } from "../model/corrections.ts";

/** What players said within a minute. The only place where their addresses are, and that no longer than the minute. */
export interface Minute {
  /** The last word of an address on an edge counts. False: there is no room for more. */
  add(report: PlayerReport, client: Address): boolean;
  /** All of it, without addresses; then it is empty. */
  close(): Evidence[];
}

/** What the players of a group said of a service's edges. */
export interface Evidence {
  readonly service: string;
  readonly family: Family;
  /** As `firstBits` of its addresses. */
  readonly group: number;
  /** By edge: one throughput for each network that said something, ascending; bit/s. */
  readonly edges: ReadonlyMap<string, readonly number[]>;
}

/** @param most addresses and edges, about 200 octets each */
export function createMinute(most = 50_000): Minute {
  const told = new Map<string, Told>();
  const ofNetwork = new Map<string, number>();
  return {
    add({ service, edge, bitsPerSecond }, client) {
      const key = `${service} ${edge} ${formatAddress(client)}`;
      if (!told.has(key)) {
        const network = networkOf(client, NETWORK_BITS);
        const count = ofNetwork.get(network) ?? 0;
        if (told.size >= most || count >= MOST_OF_NETWORK) return false;
        ofNetwork.set(network, count + 1);
      }
      told.set(key, { service, edge, client, bitsPerSecond });
      return true;
    },
    close() {
      const all = [...told.values()];
      told.clear();
      ofNetwork.clear();
      return evidenceIn(all);
    },
  };
}

/** Addresses and edges of a network that are listened to: whoever has many addresses takes no room from others. */
const MOST_OF_NETWORK = 100;

interface Told {
  readonly service: string;
  readonly edge: string;
  readonly client: Address;
  readonly bitsPerSecond: number;
}

function evidenceIn(all: readonly Told[]): Evidence[] {
  const byGroup = groupedBy(all, ({ service, client }) => `${service} ${networkOf(client, GROUP_BITS)}`);
  return byGroup.map((ofGroup) => {
    const [{ service, client }] = ofGroup as [Told, ...Told[]];
    const { family } = client;
    const edges = groupedBy(ofGroup, ({ edge }) => edge).map((ofEdge) => {
      const networks = groupedBy(ofEdge, ({ client }) => networkOf(client, NETWORK_BITS));
      const medians = networks.map((ofNetwork) =>
        median(ofNetwork.map(({ bitsPerSecond }) => bitsPerSecond)),
      );
      return [(ofEdge[0] as Told).edge, medians.sort(ascending)] as const;
    });
    return { service, family, group: firstBits(client, GROUP_BITS[family]), edges: new Map(edges) };
  });
}

function networkOf({ family, bytes }: Address, bits: { readonly [family in Family]: number }): string {
  const length = bits[family];
  const first = firstBits({ bytes }, Math.min(32, length));
  return length <= 32
    ? `${family} ${first}`
    : `${family} ${first} ${firstBits({ bytes: bytes.subarray(4) }, length - 32)}`;
}

function groupedBy<T>(all: readonly T[], keyOf: (one: T) => string): T[][] {
  const groups = new Map<string, T[]>();
  for (const one of all) {
    const key = keyOf(one);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [one]);
    else group.push(one);
  }
  return [...groups.values()];
}

/** The lower one of two in the middle. */
export function median(values: readonly number[]): number {
  return [...values].sort(ascending)[(values.length - 1) >> 1] as number;
}

function ascending(a: number, b: number): number {
  return a - b;
}
