/** What a probe wants to know of an HLS playlist (RFC 8216; parts as in rfc8216bis). */
export type Playlist = MasterPlaylist | MediaPlaylist;

export interface MasterPlaylist {
  readonly kind: "master";
  /** URIs of the variant streams, in the file's order. */
  readonly variants: readonly string[];
}

export interface MediaPlaylist {
  readonly kind: "media";
  readonly targetDurationSeconds: number;
  readonly isEnded: boolean;
  readonly position: Position;
  /** URI of the newest segment that is there, or else of the newest part. */
  readonly newest?: string;
}

/** How far a playlist has come: the number after its last segment, and the parts that are there of that one. */
export interface Position {
  readonly nextSequence: number;
  readonly parts: number;
}

/** Undefined: not a playlist, or one without what the RFC demands of it. */
export function parsePlaylist(text: string): Playlist | undefined {
  const [first, ...lines] = text
    .replace(/^\uFEFF/, "")
    .split(/\r?\n/)
    .map((line) => line.trim());
  if (first !== "#EXTM3U") return undefined;
  const isMaster = lines.some((line) => line.startsWith("#EXT-X-STREAM-INF:"));
  return isMaster ? { kind: "master", variants: variantsIn(lines) } : mediaPlaylist(lines);
}

/** Each EXT-X-STREAM-INF is followed by a URI (RFC 8216 4.3.4.2). */
function variantsIn(lines: readonly string[]): string[] {
  const uris: string[] = [];
  let isVariant = false;
  for (const line of lines) {
    if (line.startsWith("#EXT-X-STREAM-INF:")) isVariant = true;
    if (!isUri(line)) continue;
    if (isVariant) uris.push(line);
    isVariant = false;
  }
  return uris;
}

function mediaPlaylist(lines: readonly string[]): MediaPlaylist | undefined {
  let targetDurationSeconds: number | undefined;
  let firstSequence = 0;
  let isEnded = false;
  let isGap = false;
  let segments = 0;
  let parts = 0;
  let newestSegment: string | undefined;
  let newestPart: string | undefined;
  for (const line of lines) {
    if (isUri(line)) {
      segments++;
      parts = 0;
      if (!isGap) newestSegment = line;
      isGap = false;
      continue;
    }
    const [tag, value] = splitTag(line);
    if (tag === "#EXT-X-TARGETDURATION") targetDurationSeconds = numberIn(value);
    else if (tag === "#EXT-X-MEDIA-SEQUENCE") firstSequence = numberIn(value) ?? 0;
    else if (tag === "#EXT-X-GAP") isGap = true;
    else if (tag === "#EXT-X-ENDLIST") isEnded = true;
    else if (tag === "#EXT-X-PART") {
      parts++;
      newestPart = uriIn(value) ?? newestPart;
    }
  }
  if (targetDurationSeconds === undefined || targetDurationSeconds <= 0) return undefined;
  const newest = newestSegment ?? newestPart;
  return {
    kind: "media",
    targetDurationSeconds,
    isEnded,
    position: { nextSequence: firstSequence + segments, parts },
    ...(newest === undefined ? {} : { newest }),
  };
}

function isUri(line: string): boolean {
  return line !== "" && !line.startsWith("#");
}

function splitTag(line: string): [tag: string, value: string] {
  const colon = line.indexOf(":");
  return colon < 0 ? [line, ""] : [line.slice(0, colon), line.slice(colon + 1)];
}

/** A whole or, as some servers write it, a decimal number. */
function numberIn(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,15}(\.\d{1,9})?$/.test(text.trim()) ? Number(text) : undefined;
}

/** The attribute URI of a list `NAME=value,NAME="quoted"`, without its quotes (RFC 8216 4.2). */
function uriIn(list: string): string | undefined {
  return /(?:^|,)\s*URI=("[^"]*"|[^",]*)/.exec(list)?.[1]?.replaceAll('"', "");
}
