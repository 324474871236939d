import { createFieldNames } from "./field-names.ts";
import { Llhttp, NO_VALUE, SPANS_PER_FIELD } from "./llhttp.ts";

/** A request that ends with its header. */
export interface ParsedRequest {
  readonly method: string;
  /** Byte for byte, one character per octet. */
  readonly target: string;
  /** Of the fields that are read: names, in lower case, and values in turn; values without white space around them. */
  readonly rawHeaders: readonly string[];
  /** The same by name; none of them comes twice. */
  readonly headers: { readonly [name: string]: string | undefined };
  /** How many fields there are, read or not. */
  readonly fieldCount: number;
  /** Whether the client wants to go on with this connection. */
  readonly isKeptAlive: boolean;
  /** Where it ends in the octets that were parsed. */
  readonly end: number;
}

/** Makes requests of octets, of those that are usual at this door. */
export interface Parser {
  /** Where octets are to be put. */
  readonly room: Uint8Array;
  /**
   * @param start 0 ≤ start < end ≤ `room.length`
   * @returns `undefined` for anything but a complete HTTP/1.1 request without a body, an upgrade, an expectation, or a
   * field to be read that comes twice: whatever is incomplete, malformed or rare
   */
  parse(start: number, end: number): ParsedRequest | undefined;
  /** Whether what was parsed last ends within a header, so that more octets may make a request of it. */
  readonly isCut: () => boolean;
}

/**
 * Fields are looked at where they lie: no text is made of those that nobody reads.
 * @param fields the names of those to be read, in lower case
 * @throws as `Llhttp`
 */
export function createParser(roomOctets: number, fields: readonly string[]): Parser {
  const names = createFieldNames(fields, NOT_PLAIN);
  const llhttp = new Llhttp(roomOctets);
  const { octets, room, spans } = llhttp;

  /** False if one comes twice, or is of those that are not plain. */
  const readFields = (headers: { [name: string]: string | undefined }, rawHeaders: string[]): boolean => {
    for (let span = 0; span < SPANS_PER_FIELD * llhttp.fieldCount; span += SPANS_PER_FIELD) {
      const name = names.at(octets, spans[span] as number, spans[span + 1] as number);
      if (name === undefined) continue;
      if (headers[name] !== undefined || NOT_PLAIN.includes(name)) return false;
      const value =
        spans[span + 2] === NO_VALUE ? "" : valueAt(spans[span + 2] as number, spans[span + 3] as number);
      headers[name] = value;
      rawHeaders.push(name, value);
    }
    return true;
  };

  /** llhttp leaves white space at the end of a value. */
  const valueAt = (at: number, length: number): string => {
    let end = at + length;
    while (end > at && (octets[end - 1] === 0x20 || octets[end - 1] === 0x09)) end--;
    return octets.latin1Slice(at, end);
  };

  return {
    room,
    isCut: () => llhttp.isCut,
    parse(start, end) {
      if (!llhttp.parse(start, end) || llhttp.isRare || llhttp.isUpgrade || !llhttp.isVersion11())
        return undefined;
      const headers = names.none();
      const rawHeaders: string[] = [];
      if (!readFields(headers, rawHeaders)) return undefined;
      const { fieldCount, isKeptAlive } = llhttp;
      const target = llhttp.target();
      return {
        method: llhttp.method(),
        target,
        rawHeaders,
        headers,
        fieldCount,
        isKeptAlive,
        end: llhttp.end(),
      };
    },
  };
}

/** Why there is no parser to be had, where that is so. */
export function whyNoParser(): string | undefined {
  try {
    createParser(1, []);
    return undefined;
  } catch (error) {
    return error instanceof Error ? (error.message.split("\n")[0] ?? "") : String(error);
  }
}

/** What asks for more than an answer to the header. */
const NOT_PLAIN: readonly string[] = ["content-length", "transfer-encoding", "expect", "upgrade"];
