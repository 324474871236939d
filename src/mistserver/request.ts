import { peerOf } from "../base/peer.ts";
import type { Client } from "../model/client.ts";
import { readTagAdjust, type TagAdjust } from "./tag-adjust.ts";

/** What servers and players ask MistServer's balancer. */
export interface MistRequest {
  readonly method: string;
  /** As sent. */
  readonly target: string;
  readonly headers: { readonly [name: string]: string | readonly string[] | undefined };
  readonly client: Client;
}

/** A request taken apart. */
export interface Asked {
  /** Decoded, without the slash in front. */
  readonly name: string;
  /** Decoded; of several the first. */
  readonly arguments: ReadonlyMap<string, string>;
  /** The arguments that are not the balancer's own, as sent: empty, or starts with `?`. */
  readonly rest: string;
  readonly place?: Place;
  /** Empty: nothing is asked of tags. */
  readonly tagAdjust: TagAdjust;
}

export interface Place {
  /** Degrees. */
  readonly latitude: number;
  readonly longitude: number;
}

/** The arguments of a player that are for the balancer. */
const OWN = new Set(["proto", "lat", "lon", "tag_adjust"]);

export function readRequest({ target, headers }: Pick<MistRequest, "target" | "headers">): Asked {
  const mark = target.indexOf("?");
  const path = mark < 0 ? target : target.slice(0, mark);
  const pieces =
    mark < 0
      ? []
      : target
          .slice(mark + 1)
          .split("&")
          .filter((piece) => piece !== "");
  const given = new Map<string, string>();
  const rest: string[] = [];
  for (const piece of pieces) {
    const equals = piece.indexOf("=");
    const key = decoded(equals < 0 ? piece : piece.slice(0, equals));
    if (!given.has(key))
      given.set(key, decoded(equals < 0 ? "" : piece.slice(equals + 1).replaceAll("+", " ")));
    if (!OWN.has(key)) rest.push(piece);
  }
  const place = placeIn(
    given.get("lat") ?? textOf(headers["x-latitude"]),
    given.get("lon") ?? textOf(headers["x-longitude"]),
  );
  return {
    name: decoded(path.replace(/^\/+/, "")),
    arguments: given,
    rest: rest.length === 0 ? "" : `?${rest.join("&")}`,
    tagAdjust: readTagAdjust([given.get("tag_adjust"), textOf(headers["x-tag-adjust"])]),
    ...(place === undefined ? {} : { place }),
  };
}

/** Both, in range, and not 0, 0, which stands for "not known". */
function placeIn(latitude: string | undefined, longitude: string | undefined): Place | undefined {
  if (!latitude || !longitude) return undefined;
  const [lat, lon] = [Number(latitude), Number(longitude)];
  if (!(Math.abs(lat) <= 90 && Math.abs(lon) <= 180) || (lat === 0 && lon === 0)) return undefined;
  return { latitude: lat, longitude: lon };
}

function textOf(field: string | readonly string[] | undefined): string | undefined {
  return typeof field === "string" ? field.trim() : field?.[0]?.trim();
}

/** What is not encoded as it should be stays as it is. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

export function clientAt(remoteAddress: string | undefined): Client {
  const address = peerOf({ remoteAddress });
  return { address, prefixLength: address.bytes.length * 8, from: "source" };
}
