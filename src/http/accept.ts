/**
 * Whether an Accept field (RFC 9110 12.5.1) asks for JSON: by name, and nothing else more. What players and
 * browsers send, anything at all, never means JSON.
 */
export function prefersJson(accept: string | undefined): boolean {
  if (accept === undefined || !/json/i.test(accept)) return false;
  let json = 0;
  let other = 0;
  for (const range of accept.split(",")) {
    const [type = "", ...parameters] = range.split(";");
    if (JSON_TYPES.has(type.trim().toLowerCase())) json = Math.max(json, quality(parameters));
    else other = Math.max(other, quality(parameters));
  }
  return json > 0 && json >= other;
}

const JSON_TYPES = new Set(["application/json", "application/problem+json"]);

/** 0..1; a malformed weight counts as 0. */
function quality(parameters: readonly string[]): number {
  for (const parameter of parameters) {
    const [name = "", weight = ""] = parameter.split("=");
    if (name.trim().toLowerCase() !== "q") continue;
    return /^(?:0(?:\.\d{0,3})?|1(?:\.0{0,3})?)$/.test(weight.trim()) ? Number(weight) : 0;
  }
  return 1;
}
