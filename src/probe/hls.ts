import type { Address } from "../model/address.ts";
import type { HlsProbe } from "../model/edge.ts";
import { type Attempt, attempt, type ProbeContext } from "./attempt.ts";
import { judgeLive } from "./live.ts";
import { notePlaylistType, noteSegmentType } from "./player.ts";
import { type MediaPlaylist, type Playlist, parsePlaylist } from "./playlist.ts";
import { get, readHead } from "./request.ts";
import { ProbeError, type ProbeResult } from "./result.ts";

/** Detail of a failure: a master playlist has no variant at the edge. */
export const OTHER_HOST = "other-host";

const PLAYLIST_LIMIT = 1024 * 1024;
/** Enough to know that there is something. */
const SEGMENT_HEAD_OCTETS = 1024;

/**
 * Success: master playlist (if the url is one), media playlist and the newest segment can be had, and a
 * playlist without an end has advanced since the last probe, or still has time to (RFC 8216 6.2.1).
 * Everything is asked of the same address; a URI with another host is never followed.
 */
export function probeHls(address: Address, probe: HlsProbe, context: ProbeContext): Promise<ProbeResult> {
  return attempt(probe.timeoutMs, context, async (attempt) => {
    const asking: Asking = { attempt, address, probe, context };
    const { playlist, url } = await findMedia(asking);
    const liveness = judgeLive(context.memory, playlist, context.clock.monotonicMs());
    if (liveness.kind !== "ended") attempt.remember(liveness.memory);
    if (liveness.kind === "stale") throw new ProbeError("stale");
    await checkSegment(asking, playlist, url);
  });
}

interface Asking {
  readonly attempt: Attempt;
  readonly address: Address;
  readonly probe: HlsProbe;
  readonly context: ProbeContext;
}

async function findMedia(asking: Asking): Promise<{ playlist: MediaPlaylist; url: URL }> {
  const { probe } = asking;
  const url = new URL(probe.url);
  const first = await getPlaylist(asking, url);
  if (first.kind === "media") return { playlist: first, url };
  if (first.variants.length === 0) throw new ProbeError("playlist", "no-variant");
  const variant = first.variants.map((uri) => ownUrl(uri, url, probe)).find((own) => own !== undefined);
  if (variant === undefined) throw new ProbeError("playlist", OTHER_HOST);
  const second = await getPlaylist(asking, variant);
  if (second.kind !== "media") throw new ProbeError("playlist", "master-in-master");
  return { playlist: second, url: variant };
}

async function getPlaylist(asking: Asking, url: URL): Promise<Playlist> {
  const { attempt, address, probe, context } = asking;
  const reply = await get(attempt, address, at(url, probe), context, { step: "playlist" });
  if (reply.statusCode !== 200) throw new ProbeError("status", String(reply.statusCode));
  const text = await attempt.step("body", () => readHead(reply.body, PLAYLIST_LIMIT));
  if (text.length === PLAYLIST_LIMIT) throw new ProbeError("playlist", "too-long");
  const playlist = parsePlaylist(text.toString());
  if (playlist === undefined) throw new ProbeError("playlist", "not-a-playlist");
  if (context.asPlayer === true) notePlaylistType(attempt, reply.headers["content-type"]);
  return playlist;
}

/** A playlist can advance while its segments are missing. */
async function checkSegment(asking: Asking, playlist: MediaPlaylist, base: URL): Promise<void> {
  const { attempt, address, probe, context } = asking;
  if (playlist.newest === undefined) throw new ProbeError("playlist", "no-segment");
  const url = ownUrl(playlist.newest, base, probe);
  // Segments that another host serves are that host's business.
  if (url === undefined) return;
  const headers = { range: `bytes=0-${SEGMENT_HEAD_OCTETS - 1}` };
  const reply = await get(attempt, address, at(url, probe), context, { step: "segment", headers });
  const { statusCode } = reply;
  if (statusCode !== 200 && statusCode !== 206) throw new ProbeError("segment", String(statusCode));
  const head = await attempt.step("body", () => readHead(reply.body, SEGMENT_HEAD_OCTETS));
  if (head.length === 0) throw new ProbeError("segment", "empty");
  if (context.asPlayer === true) noteSegmentType(attempt, url, reply.headers["content-type"]);
}

/** The URI against its playlist's, if it is the edge's own: same scheme, and a host that is known to be its. */
function ownUrl(uri: string, base: URL, probe: HlsProbe): URL | undefined {
  if (!URL.canParse(uri, base.href)) return undefined;
  const url = new URL(uri, base);
  const isOwn = url.host === base.host || probe.hosts.includes(url.host);
  return isOwn && url.protocol === base.protocol ? url : undefined;
}

/** An absolute URI is asked with its own host in the Host header; a relative one with the probe's. */
function at(
  url: URL,
  { url: first, host, tls }: HlsProbe,
): { url: string; host: string; tls: HlsProbe["tls"] } {
  return { url: url.href, host: url.host === new URL(first).host ? host : url.host, tls };
}
