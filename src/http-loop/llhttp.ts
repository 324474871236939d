import { createRequire } from "node:module";

/** How many numbers stand for a field in `Llhttp.spans`: where its name is, its length, and the same of its value. */
export const SPANS_PER_FIELD = 4;
/** Stands where a field's value would be. */
export const NO_VALUE = -1;
/** More than are ever answered. */
const MOST_FIELDS = 1024;

/**
 * llhttp, the parser of Node itself, as WebAssembly. It is strict: no lenient option is set. Octets lie in its own
 * memory, so that the system can write them there; where in it the parts of a request are is known of the last one.
 */
export class Llhttp {
  /** Its memory. */
  readonly octets: Buffer & { latin1Slice(start: number, end: number): string };
  /** Where octets are to be put. */
  readonly room: Uint8Array;
  targetAt = 0;
  targetLength = 0;
  fieldCount = 0;
  readonly spans = new Int32Array(SPANS_PER_FIELD * MOST_FIELDS);
  isUpgrade = false;
  isKeptAlive = false;
  /** Whether something came in pieces, or there are too many fields. */
  isRare = false;
  /** Whether the octets end within a header, so that more of them may make a request of it. */
  isCut = false;
  #isHeaderComplete = false;
  readonly #wasm: Exports;
  readonly #parser: number;
  readonly #roomAt: number;
  readonly #methods = new Map<number, string>();

  /** @throws if the module is not there, or is not what is expected */
  constructor(roomOctets: number) {
    const instance = new WebAssembly.Instance(new WebAssembly.Module(moduleOctets()), { env: this.#env() });
    this.#wasm = instance.exports as unknown as Exports;
    this.#wasm._initialize();
    this.#parser = this.#wasm.llhttp_alloc(REQUESTS);
    this.#roomAt = this.#wasm.malloc(roomOctets);
    this.octets = Buffer.from(this.#wasm.memory.buffer) as Llhttp["octets"];
    this.room = this.octets.subarray(this.#roomAt, this.#roomAt + roomOctets);
  }

  /**
   * Parses up to the end of a request.
   * @param start octets of `room` before it
   * @returns whether it ends there
   */
  parse(start: number, end: number): boolean {
    this.targetLength = this.fieldCount = 0;
    this.isRare = this.#isHeaderComplete = false;
    this.#wasm.llhttp_reset(this.#parser);
    const outcome = this.#wasm.llhttp_execute(this.#parser, this.#roomAt + start, end - start);
    this.isCut = outcome === OK && !this.#isHeaderComplete && !this.isRare;
    return outcome === PAUSED;
  }

  /** Octets of `room` up to the end of the request. */
  end(): number {
    return this.#wasm.llhttp_get_error_pos(this.#parser) - this.#roomAt;
  }

  isVersion11(): boolean {
    const [wasm, parser] = [this.#wasm, this.#parser];
    return wasm.llhttp_get_http_major(parser) === 1 && wasm.llhttp_get_http_minor(parser) === 1;
  }

  method(): string {
    const code = this.#wasm.llhttp_get_method(this.#parser);
    const known = this.#methods.get(code);
    if (known !== undefined) return known;
    const at = this.#wasm.llhttp_method_name(code);
    const name = this.octets.latin1Slice(at, this.octets.indexOf(0, at));
    this.#methods.set(code, name);
    return name;
  }

  target(): string {
    return this.octets.latin1Slice(this.targetAt, this.targetAt + this.targetLength);
  }

  /** What it calls while it parses. */
  #env(): object {
    const { spans } = this;
    return {
      wasm_on_message_begin: ignore,
      wasm_on_status: ignore,
      wasm_on_body: ignore,
      wasm_on_url: (_parser: number, at: number, length: number): number => {
        if (this.targetLength > 0) this.isRare = true;
        this.targetAt = at;
        this.targetLength = length;
        return 0;
      },
      wasm_on_header_field: (_parser: number, at: number, length: number): number => {
        if (this.fieldCount === MOST_FIELDS) this.isRare = true;
        else {
          const span = SPANS_PER_FIELD * this.fieldCount++;
          spans[span] = at;
          spans[span + 1] = length;
          spans[span + 2] = NO_VALUE;
        }
        return 0;
      },
      wasm_on_header_value: (_parser: number, at: number, length: number): number => {
        const span = SPANS_PER_FIELD * (this.fieldCount - 1);
        if (spans[span + 2] !== NO_VALUE) this.isRare = true;
        spans[span + 2] = at;
        spans[span + 3] = length;
        return 0;
      },
      wasm_on_headers_complete: (
        _parser: number,
        _status: number,
        upgrade: number,
        keepAlive: number,
      ): number => {
        this.#isHeaderComplete = true;
        this.isUpgrade = upgrade !== 0;
        this.isKeptAlive = keepAlive !== 0;
        return 0;
      },
      wasm_on_message_complete: (): number => PAUSED,
    };
  }
}

function ignore(): number {
  return 0;
}

/** The exports that are used here. */
interface Exports {
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
