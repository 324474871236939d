import type { HeaderFields } from "./client-address.ts";

/** How the viewer speaks to us: as the connection does or, through a trusted proxy, as that proxy says. */
export function schemeOf(
  { headers, isEncrypted = false }: { readonly headers: HeaderFields; readonly isEncrypted?: boolean },
  isTrustedPeer: boolean,
): "http" | "https" {
  const said = isTrustedPeer ? (forwardedProto(headers) ?? lastOf(headers["x-forwarded-proto"])) : undefined;
  if (said === "http" || said === "https") return said;
  return isEncrypted ? "https" : "http";
}

/** Of the element that the nearest proxy wrote (RFC 7239 5.4). */
function forwardedProto({ forwarded }: HeaderFields): string | undefined {
  return /(?:^|;)\s*proto="?(\w+)"?\s*(?:;|$)/i.exec(lastOf(forwarded) ?? "")?.[1]?.toLowerCase();
}

function lastOf(field: string | readonly string[] | undefined): string | undefined {
  return [field ?? []].flat().join(",").split(",").at(-1)?.trim().toLowerCase();
}
