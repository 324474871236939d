import { parseAddress } from "../base/address.ts";
import type { ServiceParam } from "../model/service.ts";
import type { RecordData } from "../model/zone.ts";
import { readDomainName } from "./names.ts";
import { type Reading, read, refuse } from "./reading.ts";

export const recordTypes = ["A", "AAAA", "CAA", "CNAME", "HTTPS", "MX", "NS", "SRV", "SVCB", "TXT"] as const;
export type RecordType = (typeof recordTypes)[number];

/**
 * A record's data from its presentation form (RFC 1035 5.1, RFC 2782, RFC 8659, RFC 9460 2.1). Names without
 * a final dot are completed with the zone, `@` is the zone. A TXT that does not start with a quote is one
 * text, split at 255 octets.
 */
export function readRecordData(type: RecordType, text: string, zone: string): Reading<RecordData> {
  const words = splitWords(text);
  if (words === undefined) return refuse("has a quote that is not closed");
  switch (type) {
    case "A":
    case "AAAA":
      return addressData(type, text);
    case "CNAME":
    case "NS":
      return map(nameOf(text, zone), (target) => ({ type, target }));
    case "MX":
      return mxData(words, zone);
    case "SRV":
      return srvData(words, zone);
    case "CAA":
      return caaData(words);
    case "TXT":
      return text.startsWith('"') ? quotedText(words) : plainText(text);
    case "SVCB":
    case "HTTPS":
      return serviceData(type, words, zone);
  }
}

/** An owner name or a target, lower case and absolute, without the final dot; the root is empty. */
export function completeName(text: string, zone: string): Reading<string> {
  if (text === "@") return read(zone);
  return readDomainName(text.endsWith(".") ? text : `${text}.${zone}`);
}

function addressData(type: "A" | "AAAA", text: string): Reading<RecordData> {
  const address = parseAddress(text);
  const family = type === "A" ? 4 : 6;
  if (address?.family === family) return read({ type, address });
  const example = family === 4 ? "192.0.2.1" : "2001:db8::1";
  if (address !== undefined)
    return refuse(`is an IPv${address.family} address; an ${type} record holds ${example}`);
  return refuse(`is not an IPv${family} address; write it as ${example}`);
}

function mxData(words: readonly string[], zone: string): Reading<RecordData> {
  const preference = uint16(words[0]);
  if (words.length !== 2 || preference === undefined) {
    return refuse("is not an MX; write a preference and a host, as 10 mail");
  }
  return map(nameOf(words[1], zone), (exchange) => ({ type: "MX", preference, exchange }));
}

function srvData(words: readonly string[], zone: string): Reading<RecordData> {
  const [priority, weight, port] = words.slice(0, 3).map(uint16);
  if (words.length !== 4 || priority === undefined || weight === undefined || port === undefined) {
    return refuse("is not an SRV; write priority, weight, port and host, as 0 5 443 live");
  }
  return map(nameOf(words[3], zone), (target) => ({ type: "SRV", priority, weight, port, target }));
}

/** RDLENGTH has 16 bits (RFC 1035 3.2.1). */
const MAX_DATA_OCTETS = 0xffff;
const TOO_LONG = `is too long; a record holds ${MAX_DATA_OCTETS} octets`;

function caaData(words: readonly string[]): Reading<RecordData> {
  const flags = uint16(words[0]);
  const tag = words[1]?.toLowerCase() ?? "";
  const value = unquote(words[2] ?? "");
  const fits = words.length === 3 && flags !== undefined && flags < 256 && /^[a-z0-9]{1,15}$/.test(tag);
  if (!fits || value === undefined) {
    return refuse('is not a CAA; write flags, tag and value, as 0 issue "letsencrypt.org"');
  }
  if (2 + tag.length + value.length > MAX_DATA_OCTETS) return refuse(TOO_LONG);
  return read({ type: "CAA", flags, tag, value: Buffer.from(value).toString("latin1") });
}

function quotedText(words: readonly string[]): Reading<RecordData> {
  const strings = words.map((word) => (word.startsWith('"') ? unquote(word) : undefined));
  if (strings.includes(undefined)) return refuse('mixes quoted and unquoted text; quote each, as "a" "b"');
  const known = strings.filter((string) => string !== undefined);
  if (known.some((string) => string.length > 255)) {
    return refuse("has a text of more than 255 octets; leave the inner quotes out and it is split");
  }
  return fittingText(known);
}

function plainText(text: string): Reading<RecordData> {
  const octets = new TextEncoder().encode(text);
  const count = Math.ceil(octets.length / 255);
  return fittingText(Array.from({ length: count }, (_, i) => octets.slice(i * 255, (i + 1) * 255)));
}

function fittingText(strings: readonly Uint8Array[]): Reading<RecordData> {
  const octets = strings.reduce((sum, string) => sum + 1 + string.length, 0);
  return octets > MAX_DATA_OCTETS ? refuse(TOO_LONG) : read({ type: "TXT", strings });
}

function serviceData(type: "SVCB" | "HTTPS", words: readonly string[], zone: string): Reading<RecordData> {
  const priority = uint16(words[0]);
  if (priority === undefined || words.length < 2) {
    return refuse(`is not an ${type}; write priority, target and parameters, as 1 . alpn=h2,h3`);
  }
  const target = nameOf(words[1], zone);
  if (target.kind === "refused") return target;
  const params = readParams(words.slice(2));
  if (params.kind === "refused") return params;
  if (priority === 0 && params.value.length > 0) {
    return refuse("has parameters with priority 0, the alias form (RFC 9460 2.4.2); leave them out");
  }
  const paramOctets = params.value.reduce((sum, { value }) => sum + 4 + value.length, 0);
  const targetOctets = target.value === "" ? 1 : target.value.length + 2; // a length in front, the root behind
  if (2 + targetOctets + paramOctets > MAX_DATA_OCTETS) return refuse(TOO_LONG);
  return read({ type, priority, target: target.value, params: params.value });
}

function readParams(words: readonly string[]): Reading<ServiceParam[]> {
  const params: ServiceParam[] = [];
  for (const word of words) {
    const param = readParam(word);
    if (param.kind === "refused") return param;
    if (params.some(({ key }) => key === param.value.key)) {
      return refuse("gives a parameter twice; keep one of them");
    }
    params.push(param.value);
  }
  params.sort((a, b) => a.key - b.key);
  const problem = missingParam(params);
  return problem === undefined ? read(params) : refuse(problem);
}

/** RFC 9460 7.1.1 and 8: what must stand beside no-default-alpn and mandatory. */
function missingParam(params: readonly ServiceParam[]): string | undefined {
  const keys = new Set(params.map(({ key }) => key));
  if (keys.has(paramKeys["no-default-alpn"]) && !keys.has(paramKeys.alpn)) {
    return "has no-default-alpn without alpn; give alpn too (RFC 9460 7.1.1)";
  }
  const mandatory = params.find(({ key }) => key === paramKeys.mandatory)?.value ?? new Uint8Array();
  for (let i = 0; i < mandatory.length; i += 2) {
    const key = ((mandatory[i] as number) << 8) | (mandatory[i + 1] as number);
    if (!keys.has(key)) return "names a parameter in mandatory that it does not give (RFC 9460 8)";
  }
  return undefined;
}

/** RFC 9460 14.3.2. */
export const paramKeys = {
  mandatory: 0,
  alpn: 1,
  "no-default-alpn": 2,
  port: 3,
  ipv4hint: 4,
  ech: 5,
  ipv6hint: 6,
} as const;

type ParamName = keyof typeof paramKeys;

const paramReaders: { readonly [name in ParamName]: (value: Uint8Array) => Uint8Array | undefined } = {
  mandatory: mandatoryValue,
  alpn: alpnValue,
  "no-default-alpn": (value) => (value.length === 0 ? value : undefined),
  port: portValue,
  ipv4hint: (value) => hintValue(value, 4),
  ech: base64Value,
  ipv6hint: (value) => hintValue(value, 6),
};

const paramForms: { readonly [name in ParamName]: string } = {
  mandatory: "mandatory=alpn,ipv4hint",
  alpn: "alpn=h2,h3",
  "no-default-alpn": "no-default-alpn, without a value",
  port: "port=443",
  ipv4hint: "ipv4hint=192.0.2.1,192.0.2.2",
  ech: "ech= and base64",
  ipv6hint: "ipv6hint=2001:db8::1",
};

function readParam(word: string): Reading<ServiceParam> {
  const equals = word.indexOf("=");
  const name = equals < 0 ? word : word.slice(0, equals);
  const value = equals < 0 ? new Uint8Array() : unquote(word.slice(equals + 1));
  const key = paramKey(name);
  if (key === undefined || value === undefined) {
    return refuse(
      `has a parameter that is not known; write ${Object.keys(paramKeys).join(", ")} or key65000=`,
    );
  }
  if (!isParamName(name)) return read({ key, value });
  const wire = paramReaders[name](value);
  return wire === undefined
    ? refuse(`has a wrong ${name}; write ${paramForms[name]}`)
    : read({ key, value: wire });
}

/** 65535 is reserved as invalid (RFC 9460 14.3.2). */
function paramKey(name: string): number | undefined {
  if (isParamName(name)) return paramKeys[name];
  const number = /^key(0|[1-9]\d{0,4})$/.exec(name)?.[1];
  return number !== undefined && Number(number) < 65_535 ? Number(number) : undefined;
}

function isParamName(name: string): name is ParamName {
  return Object.hasOwn(paramKeys, name);
}

function mandatoryValue(value: Uint8Array): Uint8Array | undefined {
  const keys = textOf(value)
    .split(",")
    .map((name) => paramKey(name) ?? 0);
  const distinct = new Set(keys);
  if (distinct.size !== keys.length || distinct.has(paramKeys.mandatory)) return undefined;
  return Uint8Array.from(keys.sort((a, b) => a - b).flatMap((key) => [key >> 8, key & 0xff]));
}

/** A comma inside an identifier is escaped once more (RFC 9460 A.1). */
function alpnValue(value: Uint8Array): Uint8Array | undefined {
  const ids: number[][] = [[]];
  for (let i = 0; i < value.length; i++) {
    const escaped = value[i] === 0x5c;
    if (escaped) i++;
    const octet = value[i];
    if (octet === undefined) return undefined;
    if (octet === 0x2c && !escaped) ids.push([]);
    else ids.at(-1)?.push(octet);
  }
  if (ids.some((id) => id.length === 0 || id.length > 255)) return undefined;
  return joined(ids.map((id) => Uint8Array.from([id.length].concat(id))));
}

function portValue(value: Uint8Array): Uint8Array | undefined {
  const port = uint16(textOf(value));
  return port === undefined ? undefined : Uint8Array.of(port >> 8, port & 0xff);
}

function hintValue(value: Uint8Array, family: 4 | 6): Uint8Array | undefined {
  const addresses = textOf(value).split(",").map(parseAddress);
  if (!addresses.every((address) => address?.family === family)) return undefined;
  return joined(addresses.map((address) => address?.bytes ?? new Uint8Array()));
}

function base64Value(value: Uint8Array): Uint8Array | undefined {
  const text = textOf(value);
  const valid = text.length % 4 === 0 && /^[A-Za-z0-9+/]+={0,2}$/.test(text);
  return valid ? Uint8Array.from(Buffer.from(text, "base64")) : undefined;
}

function nameOf(word: string | undefined, zone: string): Reading<string> {
  if (word === ".") return read("");
  if (word !== undefined && parseAddress(word.replace(/\.$/, "")) !== undefined)
    return refuse(
      "has an address where a host's name belongs; write a name, and its address in an A or AAAA",
    );
  const name = completeName(word ?? "", zone);
  return name.kind === "read" ? name : refuse(`names a host that ${name.message}`);
}

function uint16(word: string | undefined): number | undefined {
  return word !== undefined && /^(0|[1-9]\d{0,4})$/.test(word) && Number(word) < 65_536
    ? Number(word)
    : undefined;
}

/** Splits at blanks outside quotes; quotes and escapes stay in. */
function splitWords(text: string): string[] | undefined {
  const words = text.match(/(?:"(?:[^"\\]|\\.)*"|\\.|[^\s"\\])+/gsu) ?? [];
  const lengthOfWords = words.join("").length;
  const blanksInside = words.join("").length - words.join("").replaceAll(/\s/g, "").length;
  const blanksInAll = text.length - text.replaceAll(/\s/g, "").length;
  return lengthOfWords + blanksInAll - blanksInside === text.length ? words : undefined;
}

/** The octets of a character-string: without its quotes, `\DDD` and `\X` resolved (RFC 1035 5.1). */
function unquote(word: string): Uint8Array | undefined {
  const inner = /^"(.*)"$/s.exec(word)?.[1] ?? word;
  const octets: number[] = [];
  for (const [part] of inner.matchAll(/\\\d{3}|\\[^\d]|[^\\]+|\\/gs)) {
    const code = /^\\(\d{3})$/.exec(part)?.[1];
    if (part === "\\" || Number(code ?? 0) > 255) return undefined;
    if (code !== undefined) octets.push(Number(code));
    else for (const octet of Buffer.from(part.startsWith("\\") ? part.slice(1) : part)) octets.push(octet);
  }
  return Uint8Array.from(octets);
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}

function textOf(octets: Uint8Array): string {
  return Buffer.from(octets).toString("latin1");
}

function map<T>(reading: Reading<T>, build: (value: T) => RecordData): Reading<RecordData> {
  return reading.kind === "read" ? read(build(reading.value)) : reading;
}
