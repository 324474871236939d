import { parseAddress } from "../base/address.ts";
import type { Values } from "./draft.ts";

/** Where a server is, as other programs write it: a name, or an address. */
export interface Host {
  /** For a URL: IPv6 in brackets. */
  readonly text: string;
  /** Where it is an address. */
  readonly address?: string;
}

/** `undefined`: neither a hostname nor an address. */
export function readHost(text: string): Host | undefined {
  const bare = text.replace(/^\[(.*)\]$/, "$1");
  const address = parseAddress(bare);
  if (address !== undefined) return { text: address.family === 6 ? `[${bare}]` : bare, address: bare };
  return /^(?=.{1,253}$)[\w-]{1,63}(?:\.[\w-]{1,63})*\.?$/.test(bare) && !/^[\d.]+$/.test(bare)
    ? { text: bare.replace(/\.$/, "").toLowerCase() }
    : undefined;
}

/** Hands out ids, short and each once: `edge1` of `edge1.example.net`. */
export function createIds(): (wanted: string) => string {
  const taken = new Set<string>();
  return (wanted) => {
    const base = idFrom(wanted);
    let id = base;
    for (let n = 2; taken.has(id); n++) id = `${base.slice(0, 58)}-${n}`;
    taken.add(id);
    return id;
  };
}

function idFrom(text: string): string {
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
