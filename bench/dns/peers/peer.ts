/** A DNS server of the comparison: the same names and the same sites, over the same database. */
export interface Peer {
  readonly name: string;
  /** What decides the site: the great circle from the city's coordinates, or a list of countries. */
  readonly locatesBy: "city" | "country";
  /** The program and the Debian package that brings it; without one it is our own. */
  readonly program: string | undefined;
  readonly package: string | undefined;
  /** Starts it on the server's core; it may not answer yet. */
  readonly start: (circumstances: Circumstances) => Promise<RunningPeer>;
}

export interface Circumstances {
  /** For its configuration and whatever it writes; its own. */
  readonly folder: string;
  /** The packaged city database for IPv4, in the layout of MaxMind's own. */
  readonly database: string;
  readonly sites: readonly Site[];
  /** The nearest site by country, ISO 3166-1 alpha-2. */
  readonly siteByCountry: ReadonlyMap<string, Site>;
}

export interface Site {
  readonly id: string;
  readonly latitude: number;
  readonly longitude: number;
  readonly addresses: readonly [string, string];
  readonly url: string;
}

export interface RunningPeer {
  readonly pid: number;
  /** On 127.0.0.1. */
  readonly port: number;
  /** What it said last. */
  readonly output: () => string;
  readonly stop: () => Promise<void>;
  /** How many queries it has answered to others than the generator; left out: nobody else asks. */
  readonly answeredOthers?: () => number;
}
