/** A value of gdnsd's configuration language, with the line on which it stands. */
export type Vscf =
  | { readonly kind: "text"; readonly text: string; readonly line: number }
  | { readonly kind: "list"; readonly items: readonly Vscf[]; readonly line: number }
  | { readonly kind: "map"; readonly entries: ReadonlyMap<string, Vscf>; readonly line: number };

export interface ParsedVscf {
  readonly root: Vscf;
  /** Includes that stand in the place of a value or of pairs, with their lines: they are not followed. */
  readonly includes: readonly { readonly path: string; readonly line: number }[];
}

export class VscfError extends Error {
  readonly line: number;
  constructor(message: string, line: number) {
    super(message);
    this.line = line;
  }
}

const DEPTH_MAX = 64;

/** As gdnsd.config(5) describes it. @throws {VscfError} */
export function parseVscf(text: string): ParsedVscf {
  const reader = new Reader(text);
  return { root: reader.root(), includes: reader.includes };
}

export function at(value: Vscf | undefined, ...path: readonly string[]): Vscf | undefined {
  return path.reduce<Vscf | undefined>(
    (inside, key) => (inside?.kind === "map" ? inside.entries.get(key) : undefined),
    value,
  );
}

export function textAt(value: Vscf | undefined, ...path: readonly string[]): string | undefined {
  const found = at(value, ...path);
  return found?.kind === "text" ? found.text : undefined;
}

export function textsIn(value: Vscf | undefined): string[] {
  if (value?.kind === "text") return [value.text];
  return value?.kind === "list" ? value.items.flatMap(textsIn) : [];
}

export function mapAt(value: Vscf | undefined, ...path: readonly string[]): ReadonlyMap<string, Vscf> {
  return entriesOf(at(value, ...path));
}

export function entriesOf(value: Vscf | undefined): ReadonlyMap<string, Vscf> {
  return value?.kind === "map" ? value.entries : new Map<string, Vscf>();
}

interface Token {
  readonly kind: "text" | "=" | "{" | "}" | "[" | "]" | "," | "include" | "end";
  readonly text: string;
  readonly line: number;
}

class Reader {
  readonly includes: { path: string; line: number }[] = [];
  readonly #tokens: readonly Token[];
  #next = 0;

  constructor(text: string) {
    this.#tokens = tokensIn(text);
  }

  /** A map without braces, or a list. */
  root(): Vscf {
    const root = this.#peek().kind === "[" ? this.#value(0) : this.#map("end", 0, 1);
    const { kind, line } = this.#peek();
    if (kind !== "end") throw new VscfError("something stands behind the end", line);
    return root;
  }

  #peek(): Token {
    return this.#tokens[this.#next] as Token;
  }

  #take(): Token {
    const token = this.#peek();
    if (token.kind !== "end") this.#next++;
    return token;
  }

  #value(depth: number): Vscf {
    const token = this.#take();
    const { kind, text, line } = token;
    if (depth > DEPTH_MAX) throw new VscfError("nested too deeply", line);
    if (kind === "text") return { kind, text, line };
    if (kind === "{") return this.#map("}", depth + 1, line);
    if (kind === "[") return this.#list(depth + 1, line);
    if (kind !== "include") throw new VscfError(`a value belongs here, not ${shown(token)}`, line);
    this.includes.push({ path: text, line });
    return { kind: "map", entries: new Map(), line };
  }

  #list(depth: number, line: number): Vscf {
    const items: Vscf[] = [];
    while (this.#peek().kind !== "]") {
      items.push(this.#value(depth));
      if (this.#peek().kind === ",") this.#take();
    }
    this.#take();
    return { kind: "list", items, line };
  }

  #map(close: "}" | "end", depth: number, line: number): Vscf {
    const entries = new Map<string, Vscf>();
    while (this.#peek().kind !== close) {
      const key = this.#take();
      if (key.kind === "include") this.includes.push({ path: key.text, line: key.line });
      else if (key.kind === "text") entries.set(key.text, this.#pairValue(depth));
      else throw new VscfError(`a key belongs here, not ${shown(key)}`, key.line);
      if (this.#peek().kind === ",") this.#take();
    }
    this.#take();
    return { kind: "map", entries, line };
  }

  #pairValue(depth: number): Vscf {
    const token = this.#take();
    if (token.kind !== "=") throw new VscfError(`=> belongs here, not ${shown(token)}`, token.line);
    return this.#value(depth);
  }
}

function shown({ kind, text }: Token): string {
  if (kind === "end") return "the end of the file";
  return kind === "text" ? JSON.stringify(text.slice(0, 40)) : kind;
}

const LEXEME =
  /\s+|[#;][^\n]*|\$include\{\s*(?:"((?:[^"\\]|\\.)*)"|((?:[^\][}{;#,"=\\\s]|\\.)+))\s*\}|"((?:[^"\\]|\\.)*)"|((?:[^\][}{;#,"=\\\s]|\\.)+)|=>?|[[\]{},]/gsy;

function tokensIn(text: string): Token[] {
  const tokens: Token[] = [];
  let line = 1;
  LEXEME.lastIndex = 0;
  while (LEXEME.lastIndex < text.length) {
    const match = LEXEME.exec(text);
    if (match === null) throw new VscfError("a character that has no place here", line);
    const [whole, quotedPath, path, quoted, plain] = match;
    const included = quotedPath ?? path;
    const written = quoted ?? plain;
    if (included !== undefined) tokens.push({ kind: "include", text: unescaped(included), line });
    else if (written !== undefined) tokens.push({ kind: "text", text: unescaped(written), line });
    else if (!/^[\s#;]/.test(whole))
      tokens.push({ kind: whole.startsWith("=") ? "=" : (whole as "{"), text: whole, line });
    line += whole.split("\n").length - 1;
  }
  tokens.push({ kind: "end", text: "", line });
  return tokens;
}

/** `\DDD` is an octet, `\X` is X (RFC 1035 5.1). */
function unescaped(text: string): string {
  return text.replace(/\\(\d{3})|\\([^])/g, (_, code: string | undefined, character: string) =>
    code === undefined ? character : String.fromCharCode(Number(code)),
  );
}
