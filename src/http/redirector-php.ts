import type { Target } from "./target.ts";

/** What a request at `/redirector.php` is for. */
export type Unwrapped =
  | { readonly kind: "target"; readonly target: Target }
  | { readonly kind: "malformed"; readonly detail: string };

/**
 * The target that `/redirector.php?u=/path` names, as the PHP redirector read it; `undefined` for every other path.
 * What it lost is kept: the arguments beside `u` follow behind the query that `u` itself may have.
 */
export function unwrapped({ path, query, ...rest }: Target): Unwrapped | undefined {
  if (path !== "/redirector.php") return undefined;
  const wanted: string[] = [];
  const others: string[] = [];
  for (const argument of query.slice(1).split("&")) {
    if (argument.startsWith("u=")) wanted.push(argument.slice(2));
    else if (argument !== "" && argument !== "u") others.push(argument);
  }
  // PHP keeps the last of several.
  const inner = decoded(wanted.at(-1) ?? "");
  if (inner === undefined) return { kind: "malformed", detail: "u is not percent-encoded as it should be" };
  if (!inner.startsWith("/"))
    return { kind: "malformed", detail: "u must be a path, as ?u=/live/stream.m3u8" };
  const mark = inner.indexOf("?");
  const innerQuery = mark < 0 ? "" : inner.slice(mark + 1);
  const all = [innerQuery, ...others].filter((part) => part !== "").join("&");
  return {
    kind: "target",
    target: { ...rest, path: mark < 0 ? inner : inner.slice(0, mark), query: all === "" ? "" : `?${all}` },
  };
}

/**
 * Octets as characters, one each, like those of any request target; what would end the path or cannot stand in one
 * stays encoded.
 */
function decoded(text: string): string | undefined {
  if (/%(?![\da-fA-F]{2})/.test(text)) return undefined;
  return text.replaceAll("+", "%20").replace(/%([\da-fA-F]{2})/g, (encoded, digits: string) => {
    const code = Number.parseInt(digits, 16);
    return code <= 0x20 || code >= 0x7f || code === 0x23 ? encoded : String.fromCharCode(code);
  });
}
