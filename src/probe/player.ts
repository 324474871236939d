import type { Attempt } from "./attempt.ts";

/** Notes on what players stumble over though the probe succeeds. */

const DAY_MS = 24 * 60 * 60 * 1000;
const WARN_DAYS = 14;

/** A player that was redirected to the edge says `Origin: null`, so that nothing but `*` lets it in. */
export function noteCors(attempt: Pick<Attempt, "note">, allowed: string | string[] | undefined): void {
  if (allowed === undefined) {
    attempt.note("no Access-Control-Allow-Origin: players in browsers cannot read it; send *");
  } else if (allowed !== "*" && allowed !== "null") {
    attempt.note("Access-Control-Allow-Origin leaves out players that were redirected; send *");
  }
}

/** @param validTo as X.509 writes it: `Nov 21 03:12:49 2026 GMT` */
export function noteExpiry(attempt: Pick<Attempt, "note">, validTo: string, wallMs: number): void {
  const leftMs = Date.parse(validTo) - wallMs;
  if (Number.isNaN(leftMs) || leftMs >= WARN_DAYS * DAY_MS) return;
  const days = Math.floor(leftMs / DAY_MS);
  if (leftMs < 0) attempt.note("the certificate has expired");
  else attempt.note(`the certificate expires in ${days} ${days === 1 ? "day" : "days"}`);
}

/** RFC 8216 4. */
const PLAYLIST_TYPES = [
  "application/vnd.apple.mpegurl",
  "application/x-mpegurl",
  "audio/mpegurl",
  "audio/x-mpegurl",
];

const SEGMENT_TYPES: { readonly [extension: string]: readonly string[] } = {
  ts: ["video/mp2t"],
  m4s: ["video/mp4", "audio/mp4", "video/iso.segment", "audio/iso.segment"],
  mp4: ["video/mp4", "audio/mp4"],
  cmfv: ["video/mp4"],
  cmfa: ["audio/mp4"],
  aac: ["audio/aac", "audio/x-aac"],
  vtt: ["text/vtt"],
};

type ContentType = string | string[] | undefined;

export function notePlaylistType(attempt: Pick<Attempt, "note">, type: ContentType): void {
  noteType(attempt, "playlist", type, PLAYLIST_TYPES);
}

/** What a URI without a known extension should be called, nobody can say. */
export function noteSegmentType(attempt: Pick<Attempt, "note">, url: URL, type: ContentType): void {
  const extension = /\.([a-z0-9]+)$/i.exec(url.pathname)?.[1]?.toLowerCase() ?? "";
  const right = Object.hasOwn(SEGMENT_TYPES, extension) ? SEGMENT_TYPES[extension] : undefined;
  if (right !== undefined) noteType(attempt, "segment", type, right);
}

function noteType(
  attempt: Pick<Attempt, "note">,
  what: string,
  type: ContentType,
  right: readonly string[],
): void {
  const is = [type ?? ""].flat()[0]?.split(";")[0]?.trim().toLowerCase() ?? "";
  if (right.includes(is)) return;
  const shown = is === "" ? "no Content-Type" : `Content-Type ${isPrintable(is) ? is : "unreadable"}`;
  attempt.note(`${what} with ${shown}: some players refuse it; send ${right[0]}`);
}

/** Nothing else from the network reaches a terminal. */
function isPrintable(type: string): boolean {
  return /^[a-z0-9.+-]{1,40}\/[a-z0-9.+-]{1,60}$/.test(type);
}
