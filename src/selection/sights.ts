import type { DoorName } from "../model/decision.ts";
import type { Service } from "../model/service.ts";
import { STATE_ACTIVE, UNSTEADY_DOUBT, type World } from "../model/world.ts";
import type { AtDoor } from "./at-door.ts";
import type { Field } from "./field.ts";
import { isIpv4Lost, worldOverIpv4 } from "./over-ipv4.ts";
import type { Roster } from "./roster.ts";
import { upFor } from "./up.ts";

/** What a decision is made from, as it is for who asks. */
export interface Sight {
  /** With the edges alone that can be named to him. */
  readonly service: Service;
  readonly roster: Roster;
  /** In which an edge that he cannot reach is down. */
  readonly world: World;
  /** Names the service in sight; the same over worlds and reloads. */
  readonly name: string;
  /** Whether edges are in service that others than he can reach. */
  readonly isPastOthers: boolean;
  /** Whether he may soon reach one of those again. */
  readonly isOnTheMove: boolean;
}

/**
 * What there is to be seen of services in one world. Who may have no other way than IPv4 sees them apart while that
 * makes a difference, and as all others do otherwise, so that what was decided for one is good for the other.
 */
export class Sights {
  readonly #field: SightField;
  readonly #atDoor: AtDoor;
  readonly #world: World;
  #overIpv4: World | undefined;
  readonly #plain = new Map<DoorName | undefined, Sight[]>();
  readonly #forIpv4 = new Map<DoorName | undefined, Sight[]>();

  constructor(field: SightField, atDoor: AtDoor, world: World) {
    this.#field = field;
    this.#atDoor = atDoor;
    this.#world = world;
  }

  /** @param door undefined: all edges are seen, whatever they can be named by */
  of(service: Service, door: DoorName | undefined, needsIpv4 = false): Sight {
    const byDoor = needsIpv4 ? this.#forIpv4 : this.#plain;
    let known = byDoor.get(door);
    if (known === undefined) byDoor.set(door, (known = []));
    return (known[service.index] ??= needsIpv4
      ? this.#lookByIpv4(service, door)
      : this.#sight(this.#atDoor(service, door, false), this.#world, service.id, NOTHING_BEYOND));
  }

  #lookByIpv4(service: Service, door: DoorName | undefined): Sight {
    const plain = this.of(service, door);
    const isDns = door === "dns";
    const counted = this.#count(plain, isDns);
    const { reached, beyond, named } = counted;
    // DNS answers with addresses of IPv4 or none; a url may lead to more than is known of here, and is better than
    // nothing.
    const isApart = isDns
      ? named > 0 && (beyond > 0 || named < plain.service.edges.length)
      : beyond > 0 && reached > 0;
    if (!isApart || (isDns && isOneMatter(plain.service, counted))) return plain;
    const world = (this.#overIpv4 ??= worldOverIpv4(this.#world, this.#field.hasIpv4));
    return this.#sight(this.#atDoor(service, door, true), world, nameOverIpv4(service), counted);
  }

  /**
   * How many edges in service IPv4 reaches, and how many are beyond its reach, of which how many are in doubt; how
   * many, in whatever condition, have an address of it, and how many of those are down.
   */
  #count({ service, world }: Sight, isDns: boolean) {
    const found = { reached: 0, beyond: 0, unsteady: 0, named: 0, down: 0 };
    for (const edge of service.edges) {
      const hasIpv4 = this.#field.hasIpv4[edge] === 1;
      if (hasIpv4) found.named++;
      const up = upFor(service, world, edge);
      if (world.state[edge] !== STATE_ACTIVE) continue;
      if (up === 0) {
        if (hasIpv4) found.down++;
        continue;
      }
      const isReached = !(isDns && !hasIpv4) && !isIpv4Lost(up, hasIpv4);
      if (isReached) found.reached++;
      else found.beyond++;
      if (!isReached && world.unsteady[edge] === UNSTEADY_DOUBT) found.unsteady++;
    }
    return found;
  }

  #sight(service: Service, world: World, name: string, { beyond, unsteady }: Beyond): Sight {
    const roster = this.#field.rosterOf(service);
    return { service, roster, world, name, isPastOthers: beyond > 0, isOnTheMove: unsteady > 0 };
  }
}

/**
 * Whether A says what AAAA says, which fails or names edges that are down: no edge is in service, and A would be told
 * otherwise only for knowing nothing of those that are down and have no address of IPv4.
 */
function isOneMatter({ whenDown, fallback }: Service, { reached, beyond, down }: Counted): boolean {
  const isNobodyUp = reached + beyond + down === 0;
  return isNobodyUp && (whenDown === "refuse" || fallback === undefined);
}

interface Counted extends Beyond {
  readonly reached: number;
  readonly down: number;
}

interface Beyond {
  readonly beyond: number;
  readonly unsteady: number;
}

const NOTHING_BEYOND: Beyond = { beyond: 0, unsteady: 0 };

type SightField = Pick<Field, "hasIpv4" | "rosterOf">;

/** All that a service's sights may have. */
export function sightNames(service: Service): string[] {
  return [service.id, nameOverIpv4(service)];
}

/** No id has a space in it. */
function nameOverIpv4({ id }: Service): string {
  return `${id} over IPv4`;
}
