import type { WowzaLoad } from "../model/edge.ts";
import type { SourceType } from "./source.ts";
import { readConnectionCounts } from "./wowza-counts.ts";
import { readRest, restRequests } from "./wowza-rest.ts";

/**
 * Wowza Streaming Engine has two doors: the connection counts of its HTTP providers (port 8086, XML), and its
 * REST interface (port 8087). The url tells which: both together are two sources of one edge.
 */
export const wowzaSource: SourceType<WowzaLoad> = {
  waitsForChallenge: true,
  requests: (source) => (isRest(source) ? restRequests(source) : [{ url: source.url }]),
  read: (source, replies, before) =>
    isRest(source) ? readRest(source, replies, before) : readConnectionCounts(replies[0]?.body ?? ""),
};

function isRest({ url }: WowzaLoad): boolean {
  const { port, pathname } = new URL(url);
  return port === "8087" || /\/v\d+\b/.test(pathname);
}
