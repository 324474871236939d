import { parseAddress } from "../base/address.ts";
import { MAX_NAME_LENGTH } from "../base/domain-name.ts";
import { refusalOfWritten } from "../base/reach.ts";
import type { Values } from "./draft.ts";

/** Where a server is, as other programs write it: a name, or an address. */
export interface Host {
  /** For a URL: IPv6 in brackets. */
  readonly text: string;
  /** Where it is an address. */
  readonly address?: string;
}

/** Whether it is an address that a viewer and a probe can connect to. */
export function isHostAddress(text: string): boolean {
  const address = parseAddress(text);
  return address !== undefined && refusalOfWritten(address, { allowed: [], own: [] }) === undefined;
}

/** Whether a text stays what it is in our configuration, which puts variables in, and takes no control characters. */
export function isPlainText(text: string): boolean {
  return !text.includes("${") && !/[\p{Cc}\p{Surrogate}]/u.test(text);
}

/** `undefined`: neither a hostname nor an address of a host. */
export function readHost(text: string): Host | undefined {
  const bare = text.replace(/^\[(.*)\]$/, "$1");
  const address = parseAddress(bare);
  if (address !== undefined && !isHostAddress(bare)) return undefined;
  if (address !== undefined) return { text: address.family === 6 ? `[${bare}]` : bare, address: bare };
  const name = bare.replace(/\.$/, "").toLowerCase();
  return /^(?=.{1,253}$)[\w-]{1,63}(?:\.[\w-]{1,63})*$/.test(name) && isNameInUrls(name)
    ? { text: name }
    : undefined;
}

/** Where its last label is a number, a URL takes it for an address (WHATWG URL 3.5). */
function isNameInUrls(name: string): boolean {
  return URL.canParse(`http://${name}`) && new URL(`http://${name}`).hostname === name;
}

/** Whether a text is a hostname as DNS has them (RFC 1123 2.1), without a final dot. */
export function isHostname(text: string): boolean {
  return text.length <= MAX_NAME_LENGTH && HOSTNAME.test(text);
}

const HOSTNAME = /^[a-z\d](?:[a-z\d-]{0,61}[a-z\d])?(?:\.[a-z\d](?:[a-z\d-]{0,61}[a-z\d])?)*$/i;

/** @param onTaken is told what it is called instead, where another has that id already */
export type Ids = (wanted: string, onTaken?: (id: string) => void) => string;

/**
 * Hands out ids, each once.
 * @param idFrom makes one of at most 63 characters; left out: a short one, as `edge1` of `edge1.example.net`
 */
export function createIds(idFrom: (wanted: string) => string = shortId): Ids {
  const taken = new Set(["constructor", "prototype"]);
  /** Where to go on counting: lists of thousands may call all of them alike. */
  const counted = new Map<string, number>();
  return (wanted, onTaken) => {
    const base = idFrom(wanted);
    const stem = base.slice(0, 57);
    let n = counted.get(stem) ?? 1;
    let id = base;
    while (taken.has(id)) id = `${stem}-${++n}`;
    counted.set(stem, n);
    taken.add(id);
    if (id !== base) onTaken?.(id);
    return id;
  };
}

function shortId(text: string): string {
  const isAddress = parseAddress(text.replaceAll(/[[\]]/g, "")) !== undefined;
  const short = isAddress ? `edge-${text}` : text.replace(/\..*$/, "");
  const usable = short.replaceAll(/[^A-Za-z0-9_-]+/g, "-").replaceAll(/^[^A-Za-z0-9]+|-+$/g, "");
  return usable.slice(0, 63) || "edge";
}

/** Whether a port is open: by connecting to it, or where only a name is known, by any answer of its web server. */
export function portProbe({ address }: Host, port: number): Values {
  return address === undefined
    ? { type: "http", path: "/", status: ["2xx", "3xx", "4xx"] }
    : { type: "tcp", port };
}

/** What to tell of a host that is known by its name alone. */
export function nameNote({ text }: Host): string {
  return `${text}: a name; add its addresses if DNS is to answer with them`;
}
