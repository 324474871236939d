import { parseDictionary } from "./dictionary.ts";

/** What an event of CMCD version 2 says of where a player gets its media from, and how fast. */
export interface CmcdEvent {
  /** The hostname that it plays from (`h`, or that of `url`), lower case, without port. */
  readonly host?: string;
  /** What the player calls that network (`cdn`): where it is steered, the pathway. */
  readonly cdn?: string;
  readonly bitsPerSecond: number;
}

/**
 * More events than this in one body are passed over, and so are longer ones: nobody is to keep us busy with a few
 * requests.
 */
const MOST_EVENTS = 100;
const MOST_OF_EVENT = 4096;

/**
 * The events of a body of `application/cmcd` (CTA-5004-B, event mode): one line each, a Structured Field Dictionary
 * (RFC 9651). What is malformed, or says nothing of the throughput, is left out.
 */
export function readEvents(body: string): CmcdEvent[] {
  return body.split("\n", MOST_EVENTS).flatMap((line) => eventOf(line.replace(/\r$/, "")) ?? []);
}

function eventOf(line: string): CmcdEvent | undefined {
  const members = line.length > MOST_OF_EVENT ? undefined : parseDictionary(line);
  if (members === undefined) return undefined;
  const kbps = largest(members.get("mtp"));
  if (kbps === undefined) return undefined;
  const host = textOf(members.get("h"))?.toLowerCase() ?? hostIn(textOf(members.get("url")));
  const cdn = textOf(members.get("cdn"));
  return {
    bitsPerSecond: kbps * 1000,
    ...(host === undefined ? {} : { host }),
    ...(cdn === undefined ? {} : { cdn }),
  };
}

/** Of several object types; version 1 has no list. */
function largest(member: unknown): number | undefined {
  const numbers = [member].flat().filter((item): item is number => typeof item === "number");
  return numbers.length === 0 ? undefined : Math.max(...numbers);
}

function textOf(member: unknown): string | undefined {
  return typeof member === "string" && member.length <= MOST_CHARACTERS ? member : undefined;
}

/** The longest that `h` and `cdn` may be is 128; addresses are longer. */
const MOST_CHARACTERS = 2048;

function hostIn(url: string | undefined): string | undefined {
  return url !== undefined && URL.canParse(url) ? new URL(url).hostname : undefined;
}
