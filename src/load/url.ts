/** A path of the server's own, behind what the operator gave as its url. */
export function under(base: string, path: string): string {
  const url = new URL(base);
  const prefix = url.origin + url.pathname.replace(/\/+$/, "");
  return `${prefix}/${path}`;
}

/** A url without what may be secret in it: its query. */
export function withoutQuery(url: string): string {
  const { origin, pathname } = new URL(url);
  return origin + pathname;
}
