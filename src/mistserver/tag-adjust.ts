/** `tag_adjust`: whoever asks gives servers with a tag, or without, so many points more or less. */
import type { Bias } from "../model/decision.ts";
import type { Server } from "./reply.ts";
import { GEO_WEIGHT, scoresOf, tagsOf } from "./score.ts";

/** Points by rule: `a,b` is for servers with any of these tags, `-a,b` for those with none of them. */
export type TagAdjust = ReadonlyMap<string, number>;

/** @param texts JSON objects; of rules with the same name the last counts. What is no such object says nothing. */
export function readTagAdjust(texts: readonly (string | undefined)[]): TagAdjust {
  return new Map(texts.flatMap(rulesIn));
}

function rulesIn(text: string | undefined): [string, number][] {
  if (!text) return [];
  try {
    const rules: unknown = JSON.parse(text);
    if (typeof rules !== "object" || rules === null || Array.isArray(rules)) return [];
    return Object.entries(rules).map(([rule, points]) => [rule, wholeOf(points)]);
  } catch {
    return [];
  }
}

const MOST_POINTS = 2 ** 31 - 1;

/** MistServer counts in whole points of 32 bits, and takes text too. */
function wholeOf(points: unknown): number {
  const number = typeof points === "number" || typeof points === "string" ? Number(points) : 0;
  return Number.isNaN(number) ? 0 : Math.trunc(Math.min(Math.max(number, -MOST_POINTS), MOST_POINTS));
}

/**
 * Points as kilometres: MistServer's balancer takes one point off for each thousandth of the way to the other side of
 * the earth. As there, a server that loses all the points that it has is none to choose.
 */
export function tagBias(adjust: TagAdjust, servers: () => readonly Server[]): Bias {
  const byEdge = new Map(servers().map((server) => [server.edge.id, server]));
  return ({ edge, distanceKm }) => {
    const server = byEdge.get(edge.id);
    const points = server === undefined ? 0 : pointsFor(adjust, new Set(tagsOf(server)));
    const isRuledOut = server !== undefined && points < 0 && -points >= pointsOf(server, distanceKm);
    return isRuledOut ? Number.POSITIVE_INFINITY : (0 - points) * KM_PER_POINT;
  };
}

function pointsFor(adjust: TagAdjust, tags: ReadonlySet<string>): number {
  let sum = 0;
  for (const [rule, points] of adjust) {
    const isForOthers = rule.startsWith("-");
    const named = rule.slice(isForOthers ? 1 : 0).split(",");
    if (rule !== "" && named.some((tag) => tags.has(tag)) !== isForOthers) sum += points;
  }
  return sum;
}

/** @param distanceKm NaN: not known, which is worth nothing */
function pointsOf(server: Server, distanceKm: number): number {
  const { bw, cpu, ram } = scoresOf(server);
  const geo = Number.isNaN(distanceKm) ? 0 : GEO_WEIGHT - distanceKm / KM_PER_POINT;
  return bw + cpu + ram + geo;
}

const HALF_ROUND_THE_EARTH_KM = 20_015;
const KM_PER_POINT = HALF_ROUND_THE_EARTH_KM / GEO_WEIGHT;
