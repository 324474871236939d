/** A bare item (RFC 9651 3.3), or an inner list of them (3.1.1). Parameters are passed over. */
export type Member = Bare | readonly Bare[];
type Bare = string | number | boolean;

/** A Dictionary (RFC 9651 3.2), of which the last value of a key counts; `undefined`: it is none. */
export function parseDictionary(text: string): ReadonlyMap<string, Member> | undefined {
  const members = new Map<string, Member>();
  const reader = readerOf(text);
  reader.skip(SPACES);
  while (!reader.isAtEnd()) {
    const key = reader.take(KEY);
    if (key === undefined || members.size === MOST_KEYS) return undefined;
    const member = reader.take(EQUALS) === undefined ? true : memberAt(reader);
    if (member === undefined || !skipParameters(reader)) return undefined;
    members.set(key, member);
    reader.skip(BLANKS);
    if (reader.isAtEnd()) return members;
    if (reader.take(COMMA) === undefined) return undefined;
    reader.skip(BLANKS);
    if (reader.isAtEnd()) return undefined;
  }
  return members;
}

const MOST_KEYS = 128;
const MOST_ITEMS = 32;
const SPACES = / */y;
const BLANKS = /[ \t]*/y;
const EQUALS = /=/y;
const COMMA = /,/y;
/** Small letters, and the dots and hyphens of names that are not registered. */
const KEY = /[a-z*][a-z0-9_.*-]*/y;
const NUMBER = /-?\d{1,15}(?:\.\d{1,3})?/y;
const STRING = /"(?:[ !#-[\]-~]|\\["\\])*"/y;
const TOKEN = /[A-Za-z*][\w!#$%&'*+.^`|~:/-]*/y;
const FLAG = /\?[01]/y;
const OPEN = /\( */y;
const CLOSE = /\)/y;
const SEMICOLON = /; */y;

interface Reader {
  readonly isAtEnd: () => boolean;
  /** What a sticky pattern matches here. */
  take(pattern: RegExp): string | undefined;
  skip(pattern: RegExp): void;
}

function readerOf(text: string): Reader {
  let at = 0;
  const take = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at;
    const found = pattern.exec(text)?.[0];
    at += found?.length ?? 0;
    return found;
  };
  return { isAtEnd: () => at >= text.length, take, skip: (pattern) => void take(pattern) };
}

function memberAt(reader: Reader): Member | undefined {
  if (reader.take(OPEN) === undefined) return bareAt(reader);
  const items: Bare[] = [];
  for (;;) {
    if (reader.take(CLOSE) !== undefined) return items;
    const item = bareAt(reader);
    if (item === undefined || !skipParameters(reader) || items.length === MOST_ITEMS) return undefined;
    items.push(item);
    reader.skip(SPACES);
  }
}

function bareAt(reader: Reader): Bare | undefined {
  const number = reader.take(NUMBER);
  if (number !== undefined) return Number(number);
  const string = reader.take(STRING);
  if (string !== undefined) return string.slice(1, -1).replace(/\\(.)/g, "$1");
  const flag = reader.take(FLAG);
  return flag === undefined ? reader.take(TOKEN) : flag === "?1";
}

function skipParameters(reader: Reader): boolean {
  let count = 0;
  while (reader.take(SEMICOLON) !== undefined) {
    if (count++ === MOST_ITEMS) return false;
    if (reader.take(KEY) === undefined) return false;
    if (reader.take(EQUALS) !== undefined && bareAt(reader) === undefined) return false;
  }
  return true;
}
