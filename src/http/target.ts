/** A request target taken apart; path and query exactly as sent. */
export interface Target {
  /** Of the absolute form only; it replaces the Host field (RFC 9112 3.2.2). */
  readonly authority?: string;
  /** Starts with `/`, or is `*`. */
  readonly path: string;
  /** Empty, or starts with `?`. */
  readonly query: string;
}

const ABSOLUTE_FORM = /^https?:\/\/([^/?#]*)/i;

/** Origin, absolute or asterisk form (RFC 9112 3.2); `undefined` for anything else. */
export function parseTarget(raw: string): Target | undefined {
  if (raw.startsWith("/")) return split(raw);
  if (raw === "*") return { path: raw, query: "" };
  const absolute = ABSOLUTE_FORM.exec(raw);
  if (absolute === null) return undefined;
  const [start, authority = ""] = absolute;
  const rest = raw.slice(start.length);
  return { authority, ...split(rest.startsWith("/") ? rest : `/${rest}`) };
}

function split(pathAndQuery: string): { path: string; query: string } {
  const mark = pathAndQuery.indexOf("?");
  if (mark < 0) return { path: pathAndQuery, query: "" };
  return { path: pathAndQuery.slice(0, mark), query: pathAndQuery.slice(mark) };
}
