import { parseAddress } from "../base/address.ts";
import { MAX_NAME_LENGTH } from "../base/domain-name.ts";
import { type Reading, read, refuse } from "./reading.ts";

/** A host's name (RFC 1123 2.1): lower case, without the trailing dot. */
export function readHostname(text: string): Reading<string> {
  const name = readDomainName(text);
  if (name.kind === "refused") return name;
  if (parseAddress(name.value) !== undefined) return refuse("is an address; write a name");
  const wrong = name.value.split(".").find((label) => !/^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/.test(label));
  if (wrong === undefined) return name;
  return refuse("is not a hostname; its labels may hold letters, digits and inner hyphens");
}

/** A hostname, or `*.` and one. */
export function readHostnamePattern(text: string): Reading<string> {
  if (!text.startsWith("*.")) return readHostname(text);
  const rest = readHostname(text.slice(2));
  return rest.kind === "refused" ? rest : readDomainName(`*.${rest.value}`);
}

/**
 * A domain name as owner or target of a record: lower case, without the trailing dot, with a leading `*`
 * and underscores allowed. Lengths as in RFC 1035 2.3.4.
 */
export function readDomainName(text: string): Reading<string> {
  const name = text.toLowerCase().replace(/\.$/, "");
  // eslint-disable-next-line no-control-regex
  if (/[^\u0000-\u007f]/.test(name)) {
    return refuse("has letters outside ASCII; write an internationalised name in its xn-- form");
  }
  if (name.length > MAX_NAME_LENGTH)
    return refuse(`is ${name.length} octets long; a name has at most ${MAX_NAME_LENGTH}`);
  if (/[:/]/.test(name))
    return refuse("is not a domain name; write the name alone, without scheme, port and path");
  const labels = name.split(".");
  if (labels.includes("")) return refuse("has an empty label; write labels with single dots between them");
  const long = labels.find((label) => label.length > 63);
  if (long !== undefined) return refuse(`has a label of ${long.length} octets; a label has at most 63`);
  const plain = labels.every((label, i) => (i === 0 && label === "*") || /^[a-z0-9_-]+$/.test(label));
  if (!plain && labels.some((label) => label.includes("*")))
    return refuse("has a * that is not the whole first label; write it as *.live.example.net");
  return plain
    ? read(name)
    : refuse("is not a domain name; its labels may hold letters, digits, hyphens and underscores");
}

/** Whether the name is the zone or below it; both lower case, without the trailing dot. */
export function isWithin(name: string, zone: string): boolean {
  return name === zone || name.endsWith(`.${zone}`);
}
