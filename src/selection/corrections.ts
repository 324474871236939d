import { firstBits } from "../base/network-group.ts";
import { valueAt } from "../base/triple-table.ts";
import type { Client } from "../model/client.ts";
import { ANY_EDGE, type Corrections, GROUP_BITS } from "../model/corrections.ts";
import type { Service } from "../model/service.ts";
import type { World } from "../model/world.ts";

/** What players in a viewer's group of networks have had added to distances. */
export interface Corrected {
  readonly table: Corrections;
  readonly service: number;
  readonly group: number;
}

/** `undefined`: nothing. */
export function correctedFor(
  { index, experience }: Service,
  { address, prefixLength }: Client,
  { corrections }: World,
): Corrected | undefined {
  if (corrections === undefined || experience === undefined) return undefined;
  const bits = GROUP_BITS[address.family];
  if (prefixLength < bits) return undefined;
  const service = 2 * index + (address.family === 6 ? 1 : 0);
  const group = firstBits(address, bits);
  return valueAt(corrections, service, group, ANY_EDGE) === 0
    ? undefined
    : { table: corrections, service, group };
}

export function correctionKm(corrected: Corrected | undefined, edge: number): number {
  return corrected === undefined ? 0 : valueAt(corrected.table, corrected.service, corrected.group, edge);
}

/** How many bits of the viewer's address a choice depends on by them, whether or not his group has any. */
export function correctionBits({ experience }: Service, { address }: Client, { corrections }: World): number {
  return corrections === undefined || experience === undefined ? 0 : GROUP_BITS[address.family];
}
