/** What a playlist or an MPD is to be told of. */
export interface Tagging {
  /** Of the steering manifest; absolute. */
  readonly serverUri: string;
  /** Those that the playlist is to name, the first to play from first; at least one. */
  readonly pathways: readonly TaggedPathway[];
  /** Where the file lies, as players ask for it, `/live/cup/index.m3u8`; addresses that are relative need it. */
  readonly path?: string;
  /** Of the file at the redirector, absolute, for players who ask for it anew; left out where `path` is. */
  readonly location?: string;
  /** Whether a host belongs to the service, so that an absolute address there is the same at every edge. */
  readonly isOwnHost: (host: string) => boolean;
}

export interface TaggedPathway {
  readonly id: string;
  /** Origin and path prefix, without a slash at the end. */
  readonly url: string;
}

export type Tagged =
  | { readonly kind: "tagged"; readonly text: string }
  /** What is wrong with it, and what would be right. */
  | { readonly kind: "unfit"; readonly problem: string };

/** A file that cannot be tagged: thrown here, a value outside. */
export class Unfit extends Error {}

/**
 * An address of the file as it is at a pathway.
 * @param reference as written: relative, from the root, or absolute at one of our own hosts
 */
export function addressAt({ url }: TaggedPathway, reference: string, tagging: Tagging): string {
  return url + pathOf(reference, tagging);
}

/** Path and query, from the edge's own url on. */
function pathOf(reference: string, { path, pathways, isOwnHost }: Tagging): string {
  if (/^[a-z][a-z0-9+.-]*:|^\/\//i.test(reference)) {
    const prefix = pathways.find(({ url }) => reference.startsWith(`${url}/`))?.url;
    if (prefix !== undefined) return reference.slice(prefix.length);
    const url = URL.canParse(reference, "https://none.invalid")
      ? new URL(reference, "https://none.invalid")
      : undefined;
    if (url !== undefined && isOwnHost(url.hostname)) return url.pathname + url.search;
    throw new Unfit(`${reference} is at no edge of the service, and cannot be steered`);
  }
  if (reference.startsWith("/")) return reference;
  if (path === undefined)
    throw new Unfit(
      `${reference} is relative, and where the file lies remains unsaid; give --path, as /live/cup/index.m3u8`,
    );
  const { pathname, search } = new URL(reference, new URL(path, "https://none.invalid"));
  return pathname + search;
}
