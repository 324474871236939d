/** What a steering call's query says: of the session, and of the player. */
export interface Told {
  /** Pathways that the player names as in use, as it wrote them. */
  readonly pathways: readonly string[];
  /** Bit/s, as many as there are pathways; empty: it says nothing that fits them. */
  readonly throughputs: readonly number[];
  /** What we noted in the address that we gave. */
  readonly session?: Session;
  /** Whatever else the query holds, byte for byte: empty, or parameters joined by `&`. */
  readonly rest: string;
}

/** Kept by the player, in the address that it reloads: a word of the viewer's, which concerns nobody else. */
export interface Session {
  /** 0..1, drawn once: who is moved first when only a part is to be moved. */
  readonly lot: number;
  /** The pathway that was put first. */
  readonly first: string;
}

/** @param query empty, or starts with `?` */
export function toldBy(query: string): Told {
  const rest: string[] = [];
  let pathways: readonly string[] = [];
  let throughputs: readonly number[] = [];
  let session: Session | undefined;
  for (const parameter of query.slice(1).split("&")) {
    const mark = parameter.indexOf("=");
    const name = mark < 0 ? parameter : parameter.slice(0, mark);
    const value = mark < 0 ? "" : parameter.slice(mark + 1);
    if (name === SESSION) session = sessionIn(value) ?? session;
    else if (PATHWAY.test(name)) pathways = namesIn(value);
    else if (THROUGHPUT.test(name)) throughputs = numbersIn(value);
    else if (parameter !== "" && !PLAYERS_OWN.test(name)) rest.push(parameter);
  }
  if (throughputs.length !== pathways.length) throughputs = [];
  return { pathways, throughputs, ...(session && { session }), rest: rest.join("&") };
}

/** The address to reload from. */
export function reloadUri(address: string, { rest }: Told, { lot, first }: Session): string {
  const others = rest === "" ? "" : `&${rest}`;
  return `${address}?${SESSION}=${Math.floor(lot * LOTS)}.${first}${others}`;
}

const SESSION = "s";
const LOTS = 100_000;
const THROUGHPUT = /^_(?:HLS|DASH)_throughput$/;
const PATHWAY = /^_(?:HLS|DASH)_pathway$/;
/** Players add these anew to every call (CTA-5004 for CMCD). */
const PLAYERS_OWN = /^(?:_(?:HLS|DASH)_.*|CMCD)$/;
/** As rfc8216bis 4.4.6.2 allows for PATHWAY-ID. */
const PATHWAY_ID = /^[\w.-]{1,253}$/;

function sessionIn(value: string): Session | undefined {
  const [, lot, first] = /^(\d{1,5})\.([\w.-]{1,253})$/.exec(value) ?? [];
  return lot === undefined || first === undefined ? undefined : { lot: Number(lot) / LOTS, first };
}

/** A bare name, or a quoted list of them. */
function namesIn(value: string): string[] {
  const text = decoded(value).replace(/^"(.*)"$/, "$1");
  return text
    .split(",", NAMES_MAX)
    .map((name) => name.trim())
    .filter((name) => PATHWAY_ID.test(name));
}

/** One, or a list of them. */
function numbersIn(value: string): number[] {
  const numbers = decoded(value).split(",", NAMES_MAX);
  return numbers.every((number) => /^\d{1,15}(?:\.\d{1,6})?$/.test(number)) ? numbers.map(Number) : [];
}

const NAMES_MAX = 16;

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return "";
  }
}
