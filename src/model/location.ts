import type { Client } from "./client.ts";

/** Two-letter continent codes as GeoIP databases use them. */
export type Continent = "AF" | "AN" | "AS" | "EU" | "NA" | "OC" | "SA";

/** Which source knew the place: the operator's `places`, a city or a country database, or none. */
export type LocationLayer = "places" | "city" | "country" | "none";

/** Where a viewer is. One object per distinct record, for a while: derived data may be kept by it. */
export interface Location {
  readonly layer: LocationLayer;
  /** Degrees, -90..90 and -180..180. Both or neither. */
  readonly latitude?: number;
  readonly longitude?: number;
  /** ISO 3166-1 alpha-2, upper case. */
  readonly country?: string;
  readonly continent?: Continent;
  readonly city?: string;
  /** How far the real place may be from the coordinates; left out where the data does not say. */
  readonly accuracyRadiusKm?: number;
}

/** The answer of `locate`: what holds for every address inside the first `prefixLength` bits of the client's. */
export interface Located {
  readonly location: Location;
  /** In the client's family: 0..32 or 0..128. */
  readonly prefixLength: number;
  /** Autonomous system number, where an ASN database is configured and knows it. */
  readonly asn?: number;
}

/** What is decided by place, as told to whoever knows where places are. */
export interface PlaceVerdicts {
  /** Another number whenever the verdicts may be others. */
  readonly epoch: number;
  /**
   * The same number for places that get the same, more than 0; 0 where it is not the same everywhere within
   * `radiusKm`, or not known to be.
   */
  of(latitude: number, longitude: number, radiusKm: number): number;
}

/** How wide a network around a client gets the same verdict. */
export interface Widened {
  /** As `Located.prefixLength`, or less. */
  readonly prefixLength: number;
  /** How many parts of the network were looked at. */
  readonly steps: number;
  /** False: with more steps it may turn out to be wider. */
  readonly isFinal: boolean;
}

/**
 * Looks at no more than `steps` parts; what it found out it goes on from the next time. Undefined where the client's
 * place is not known from a database, or not more exactly than its country.
 */
export type Widen = (client: Client, verdicts: PlaceVerdicts, steps: number) => Widened | undefined;

/** Never throws: a look-up that fails is an unknown location, counted. */
export type Locate = (client: Client) => Located;
