/**
 * The steering manifest of HLS (rfc8216bis 7.1) and DASH (ETSI TS 103 998 6.2), in the form that every player takes.
 */
export interface Manifest {
  /** Whole seconds, 5 or more. */
  readonly ttlSeconds: number;
  /** Absolute. */
  readonly reloadUri: string;
  /** Best first; at least one. */
  readonly pathways: readonly Pathway[];
}

/** One edge as players name it. */
export interface Pathway {
  readonly id: string;
  /** Of a pathway that the playlists do not name. */
  readonly clone?: Clone;
}

export interface Clone {
  /** The pathway whose addresses it has, but for the host. */
  readonly baseId: string;
  /** Without a port: some players keep the base's, others drop it. */
  readonly host: string;
}

/** An empty list of clones makes some players refuse the whole, so there is none rather than an empty one. */
export function manifestText({ ttlSeconds, reloadUri, pathways }: Manifest): string {
  const clones = pathways.flatMap(({ id, clone }) =>
    clone === undefined ? [] : [{ "BASE-ID": clone.baseId, ID: id, "URI-REPLACEMENT": { HOST: clone.host } }],
  );
  return JSON.stringify({
    VERSION: 1,
    TTL: ttlSeconds,
    "RELOAD-URI": reloadUri,
    "PATHWAY-PRIORITY": pathways.map(({ id }) => id),
    ...(clones.length === 0 ? {} : { "PATHWAY-CLONES": clones }),
  });
}
