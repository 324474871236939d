import { type Tagged, type Tagging, Unfit } from "./tag.ts";
import { taggedMpd } from "./tag-dash.ts";
import { taggedPlaylist } from "./tag-hls.ts";

/** A multivariant playlist or an MPD, told apart by how it begins, with what content steering needs in it. */
export function withSteeringTags(text: string, tagging: Tagging): Tagged {
  const isXml = /^\uFEFF?\s*</.test(text);
  try {
    return { kind: "tagged", text: isXml ? taggedMpd(text, tagging) : taggedPlaylist(text, tagging) };
  } catch (error) {
    if (error instanceof Unfit) return { kind: "unfit", problem: error.message };
    throw error;
  }
}
