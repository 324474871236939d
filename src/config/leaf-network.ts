import {
  formatAddress,
  formatPrefix,
  maskBytes,
  parseAddress,
  parsePrefix,
  widthOf,
} from "../base/address.ts";
import type { Address, Prefix } from "../model/address.ts";
import type { Endpoint } from "../model/inventory.ts";
import { textLeaf } from "./leaf.ts";
import { readDomainName, readHostname, readHostnamePattern } from "./names.ts";
import { type Reading, derived, read, refuse } from "./reading.ts";

const string = { type: "string" };

export function address() {
  const words = {
    noun: "an IP address",
    hint: "write it as 192.0.2.1 or 2001:db8::1, without a port",
    json: string,
  };
  return textLeaf(words, (text) => {
    const value = parseAddress(text);
    return value && read(value);
  });
}

export function prefix() {
  return textLeaf({ noun: "a network", hint: prefixHint, json: string }, readPrefix);
}

export function hostname() {
  return textLeaf({ noun: "a hostname", hint: "write it as edge.example.net", json: string }, readHostname);
}

/** A hostname, or `*.` and one. */
export function hostnamePattern() {
  const words = {
    noun: "a hostname",
    hint: "write it as live.example.net or *.live.example.net",
    json: string,
  };
  return textLeaf(words, readHostnamePattern);
}

/** A name as it stands in DNS, also one that no host may have: `_health.example.net`. */
export function domainName() {
  const words = { noun: "a domain name", hint: "write it as edge.example.net", json: string };
  return textLeaf(words, readDomainName);
}

/** As in a Host header: a name or an address, where need be with a port: `edge.example.net:8443`, `[2001:db8::1]`. */
export function hostWithPort() {
  const hint = "write it as edge.example.net, 192.0.2.1:8443 or [2001:db8::1], without scheme and path";
  return textLeaf({ noun: "a host", hint, json: string }, (text) => {
    const [, host = "", port] = /^(\[[^\]]*\]|[^:[\]]*)(?::(\d{1,5}))?$/.exec(text) ?? [];
    if (port !== undefined && Number(port) > 65_535) return refuse("has a port above 65535");
    const isAddress =
      parseAddress(host.replace(/^\[(.*)\]$/, "$1"))?.family === (host.startsWith("[") ? 6 : 4);
    const isName = !host.startsWith("*") && readDomainName(host).kind === "read";
    return isAddress || isName ? read(text) : undefined;
  });
}

/** Where to listen: `127.0.0.1:8080`, `[::1]:8080`. */
export function endpoint() {
  const hint = "write 127.0.0.1:8080 or [::1]:8080; 0.0.0.0 and [::] stand for every address";
  const json = { type: "string", pattern: "^([0-9.]+|\\[[0-9A-Fa-f:.]+\\]):[0-9]{1,5}$" };
  return textLeaf({ noun: "an address and a port", hint, json }, readEndpoint);
}

/** An http or https URL as WHATWG reads it, without userinfo and fragment. */
export function url() {
  return textLeaf({ noun: "an http or https URL", hint: urlHint, json: { type: "string" } }, readUrl);
}

/** A URL to put a path behind: without query, and without a trailing slash. */
export function baseUrl() {
  return textLeaf({ noun: "an http or https URL", hint: urlHint, json: { type: "string" } }, (text) => {
    const reading = readUrl(text);
    if (reading?.kind !== "read") return reading;
    const { origin, pathname, search } = new URL(reading.value);
    if (search !== "" || text.includes("?")) return refuse("has a query; leave it out");
    return read(origin + pathname.replace(/\/+$/, ""));
  });
}

/**
 * A URL of any scheme with a host, to put a path behind: `wss://edge.example.net:8443`,
 * `rtmp://edge.example.net/live`.
 */
export function schemedUrl() {
  const hint = "write a scheme and a host, as wss://edge.example.net:8443";
  return textLeaf({ noun: "an address", hint, json: { type: "string" } }, (text) => {
    if (!/^[a-z][a-z\d+.-]*:\/\/[^/?#@\s]+(?:\/[\x21-\x7e]*)?$/i.test(text) || !URL.canParse(text))
      return undefined;
    if (/[?#]/.test(text)) return refuse("has a query or a fragment; leave it out");
    return read(text.replace(/\/+$/, ""));
  });
}

const prefixHint = "write it as 192.0.2.0/24 or 2001:db8::/32";

export function readPrefix(text: string): Reading<Prefix> | undefined {
  const value = parsePrefix(text);
  if (value !== undefined) return read(value);
  const masked = maskedPrefix(text);
  return masked === undefined
    ? undefined
    : refuse(`has bits set after its length${derived(`; write ${masked}`)}`);
}

const urlHint = "write it as https://edge.example.net";

function readUrl(text: string): Reading<string> | undefined {
  if (!/^https?:\/\//i.test(text)) return undefined;
  if (!URL.canParse(text)) return unparsableUrl(text);
  const value = new URL(text);
  if (value.username !== "" || value.password !== "")
    return refuse(
      "has credentials before the @; leave them out, and use the keys username and password where there are any",
    );
  if (text.includes("#")) return refuse("has a fragment (#); leave it out");
  return read(value.href);
}

/** The two ways in which it often happens. */
function unparsableUrl(text: string): Reading<never> | undefined {
  const [, host = "", port = ""] = /^https?:\/\/([^/?#@]*?)(?::(\d+))?(?:[/?#]|$)/i.exec(text) ?? [];
  const isBare = [host, `${host}:${port}`].some((part) => parseAddress(part)?.family === 6);
  if (isBare) return refuse("has an IPv6 address without brackets; write it as https://[2001:db8::1]:8443");
  return Number(port) > 65_535 ? refuse("has a port above 65535") : undefined;
}

function readEndpoint(text: string): Reading<Endpoint> | undefined {
  const match = /^(?:\[([^\]]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(text);
  const parsed = match === null ? undefined : parseAddress(match[1] ?? match[2] ?? "");
  const port = Number(match?.[3]);
  if (parsed === undefined || Number.isNaN(port)) return undefined;
  if (port > 65_535) return refuse("has a port above 65535");
  return read({ host: formatAddress(parsed), port });
}

function maskedPrefix(text: string): string | undefined {
  const [host = "", length = ""] = text.split("/");
  const parsed: Address | undefined = parseAddress(host);
  if (parsed === undefined || !/^\d{1,3}$/.test(length)) return undefined;
  if (Number(length) > widthOf(parsed.family)) return undefined;
  const bytes = maskBytes(parsed.bytes, Number(length));
  return formatPrefix({ family: parsed.family, bytes, length: Number(length) });
}
