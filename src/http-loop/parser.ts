import { createRequire } from "node:module";
import { createFieldNames } from "./field-names.ts";

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

/**
 * llhttp, the parser of Node itself, as WebAssembly. It is strict: no lenient option is set. Octets lie in its own
 * memory, so that the system can write them there.
 */
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
 * @throws if the module is not there, or is not what is expected
 */
export function createParser(roomOctets: number, fields: readonly string[]): Parser {
  const names = createFieldNames(fields, NOT_PLAIN);
  /** Of what is being parsed: where the target is, and by field where its name and its value are, and their lengths. */
  const spans = new Int32Array(SPANS_PER_FIELD * MOST_FIELDS);
  let [targetAt, targetLength, fieldCount] = [0, 0, 0];
  let isUpgrade = false;
  let isKeptAlive = false;
  let isHeaderComplete = false;
  let isCut = false;
  /** Whether something came in pieces, or there are too many fields. */
  let isRare = false;
  const text = (at: number, length: number): string => octets.latin1Slice(at, at + length);

  const instance = new WebAssembly.Instance(new WebAssembly.Module(moduleOctets()), {
    env: {
      wasm_on_message_begin: ignore,
      wasm_on_status: ignore,
      wasm_on_body: ignore,
      wasm_on_url(_parser: number, at: number, length: number): number {
        if (targetLength > 0) isRare = true;
        targetAt = at;
        targetLength = length;
        return 0;
      },
      wasm_on_header_field(_parser: number, at: number, length: number): number {
        if (fieldCount === MOST_FIELDS) isRare = true;
        else {
          const span = SPANS_PER_FIELD * fieldCount++;
          spans[span] = at;
          spans[span + 1] = length;
          spans[span + 2] = NO_VALUE;
        }
        return 0;
      },
      wasm_on_header_value(_parser: number, at: number, length: number): number {
        const span = SPANS_PER_FIELD * (fieldCount - 1);
        if (spans[span + 2] !== NO_VALUE) isRare = true;
        spans[span + 2] = at;
        spans[span + 3] = length;
        return 0;
      },
      wasm_on_headers_complete(_parser: number, _status: number, upgrade: number, keepAlive: number): number {
        isHeaderComplete = true;
        isUpgrade = upgrade !== 0;
        isKeptAlive = keepAlive !== 0;
        return 0;
      },
      wasm_on_message_complete(): number {
        return PAUSED;
      },
    },
  });
  const wasm = instance.exports as unknown as Llhttp;
  wasm._initialize();
  const parser = wasm.llhttp_alloc(REQUESTS);
  const roomAt = wasm.malloc(roomOctets);
  const octets = Buffer.from(wasm.memory.buffer) as Buffer & {
    latin1Slice(start: number, end: number): string;
  };
  const methods = new Map<number, string>();

  const methodName = (): string => {
    const code = wasm.llhttp_get_method(parser);
    const known = methods.get(code);
    if (known !== undefined) return known;
    const at = wasm.llhttp_method_name(code);
    const name = text(at, octets.indexOf(0, at) - at);
    methods.set(code, name);
    return name;
  };

  const isPlain = (): boolean =>
    !isRare &&
    !isUpgrade &&
    wasm.llhttp_get_http_major(parser) === 1 &&
    wasm.llhttp_get_http_minor(parser) === 1;

  /** False if one comes twice, or is of those that are not plain. */
  const readFields = (headers: { [name: string]: string | undefined }, rawHeaders: string[]): boolean => {
    for (let span = 0; span < SPANS_PER_FIELD * fieldCount; span += SPANS_PER_FIELD) {
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
    room: octets.subarray(roomAt, roomAt + roomOctets),
    isCut: () => isCut,
    parse(start, end) {
      targetLength = fieldCount = 0;
      isRare = isHeaderComplete = false;
      wasm.llhttp_reset(parser);
      const outcome = wasm.llhttp_execute(parser, roomAt + start, end - start);
      isCut = outcome === OK && !isHeaderComplete && !isRare;
      if (outcome !== PAUSED || !isPlain()) return undefined;
      const headers = names.none();
      const rawHeaders: string[] = [];
      if (!readFields(headers, rawHeaders)) return undefined;
      const target = text(targetAt, targetLength);
      const requestEnd = wasm.llhttp_get_error_pos(parser) - roomAt;
      return { method: methodName(), target, rawHeaders, headers, fieldCount, isKeptAlive, end: requestEnd };
    },
  };
}

function ignore(): number {
  return 0;
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

const SPANS_PER_FIELD = 4;
/** More than are ever answered. */
const MOST_FIELDS = 1024;
const NO_VALUE = -1;

/** The exports that are used here. */
interface Llhttp {
  readonly memory: { readonly buffer: ArrayBuffer };
  _initialize(): void;
  malloc(octets: number): number;
  llhttp_alloc(type: number): number;
  llhttp_reset(parser: number): void;
  llhttp_execute(parser: number, at: number, octets: number): number;
  llhttp_get_error_pos(parser: number): number;
  llhttp_get_method(parser: number): number;
  llhttp_method_name(method: number): number;
  llhttp_get_http_major(parser: number): number;
  llhttp_get_http_minor(parser: number): number;
}

/** HTTP_REQUEST, HPE_OK and HPE_PAUSED of llhttp.h. */
const REQUESTS = 1;
const OK = 0;
const PAUSED = 21;

/** As undici ships it, for its own client. */
function moduleOctets(): Uint8Array {
  return createRequire(import.meta.url)("undici/lib/llhttp/llhttp_simd-wasm.js") as Buffer;
}

/** Of Node, whose types for version 20 leave it out. */
declare const WebAssembly: {
  readonly Module: new (octets: Uint8Array) => object;
  readonly Instance: new (module: object, imports: object) => { readonly exports: object };
};
