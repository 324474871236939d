import { createRequire } from "node:module";

/** A request that ends with its header. */
export interface ParsedRequest {
  readonly method: string;
  /** Byte for byte, one character per octet. */
  readonly target: string;
  /** Names and values in turn, as received; values without white space around them. */
  readonly rawHeaders: readonly string[];
  /** By lower-case name; no name comes twice. */
  readonly headers: { readonly [name: string]: string };
  /** Whether the client wants to go on with this connection. */
  readonly isKeptAlive: boolean;
  /** Where it ends in the octets that were parsed. */
  readonly end: number;
}

/**
 * llhttp, the parser of Node itself, as WebAssembly. It is strict: no lenient option is set. Octets lie in its own memory, so
 * that the system can write them there.
 */
export interface Parser {
  /** Where octets are to be put. */
  readonly room: Uint8Array;
  /**
   * @param start 0 ≤ start < end ≤ `room.length`
   * @returns `undefined` for anything but a complete HTTP/1.1 request without a body, an upgrade, an expectation, or a
   * field that comes twice: whatever is incomplete, malformed or rare
   */
  parse(start: number, end: number): ParsedRequest | undefined;
}

/** @throws if the module is not there, or is not what is expected */
export function createParser(roomOctets: number): Parser {
  let state = newState();
  const memory = (): Buffer => Buffer.from(wasm.memory.buffer);
  const text = (at: number, length: number): string => octets.latin1Slice(at, at + length);

  const instance = new WebAssembly.Instance(new WebAssembly.Module(moduleOctets()), {
    env: {
      wasm_on_message_begin: ignore,
      wasm_on_status: ignore,
      wasm_on_body: ignore,
      wasm_on_url(_parser: number, at: number, length: number): number {
        state.target += text(at, length);
        return 0;
      },
      wasm_on_header_field(_parser: number, at: number, length: number): number {
        state.rawHeaders.push(text(at, length), "");
        return 0;
      },
      wasm_on_header_value(_parser: number, at: number, length: number): number {
        state.rawHeaders[state.rawHeaders.length - 1] += text(at, length);
        return 0;
      },
      wasm_on_headers_complete(_parser: number, _status: number, upgrade: number, keepAlive: number): number {
        state.isUpgrade = upgrade !== 0;
        state.isKeptAlive = keepAlive !== 0;
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
  const octets = memory() as Buffer & { latin1Slice(start: number, end: number): string };
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
    !state.isUpgrade && wasm.llhttp_get_http_major(parser) === 1 && wasm.llhttp_get_http_minor(parser) === 1;

  return {
    room: octets.subarray(roomAt, roomAt + roomOctets),
    parse(start, end) {
      state = newState();
      wasm.llhttp_reset(parser);
      const outcome = wasm.llhttp_execute(parser, roomAt + start, end - start);
      if (outcome !== PAUSED || !isPlain()) return undefined;
      const { target, rawHeaders, isKeptAlive } = state;
      const headers = byName(rawHeaders);
      if (headers === undefined) return undefined;
      const requestEnd = wasm.llhttp_get_error_pos(parser) - roomAt;
      return { method: methodName(), target, rawHeaders, headers, isKeptAlive, end: requestEnd };
    },
  };
}

function ignore(): number {
  return 0;
}

/** Why there is no parser to be had, where that is so. */
export function whyNoParser(): string | undefined {
  try {
    createParser(1);
    return undefined;
  } catch (error) {
    return error instanceof Error ? (error.message.split("\n")[0] ?? "") : String(error);
  }
}

interface State {
  target: string;
  readonly rawHeaders: string[];
  isUpgrade: boolean;
  isKeptAlive: boolean;
}

function newState(): State {
  return { target: "", rawHeaders: [], isUpgrade: false, isKeptAlive: false };
}

/** What asks for more than an answer to the header. */
const NOT_PLAIN = new Set(["content-length", "transfer-encoding", "expect", "upgrade"]);

/** Trims the values in place. */
function byName(rawHeaders: string[]): { [name: string]: string } | undefined {
  const headers: { [name: string]: string } = Object.create(null);
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = (rawHeaders[i] as string).toLowerCase();
    if (headers[name] !== undefined || NOT_PLAIN.has(name)) return undefined;
    headers[name] = rawHeaders[i + 1] = withoutBlanks(rawHeaders[i + 1] as string);
  }
  return headers;
}

/** llhttp leaves white space at the end of a value. */
function withoutBlanks(value: string): string {
  let end = value.length;
  while (end > 0 && (value.charCodeAt(end - 1) === 0x20 || value.charCodeAt(end - 1) === 0x09)) end--;
  return end === value.length ? value : value.slice(0, end);
}

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

/** HTTP_REQUEST and HPE_PAUSED of llhttp.h. */
const REQUESTS = 1;
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
