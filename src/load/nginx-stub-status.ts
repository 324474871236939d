import type { StatusLoad } from "../model/edge.ts";
import { looksLike } from "./document.ts";
import { numberReading, type SourceType, unreadable } from "./source.ts";

/** nginx's `stub_status`: connections, those that idle and this very request among them. */
export const nginxStubStatusSource: SourceType<StatusLoad<"nginx-stub-status">> = {
  requests: ({ url }) => [{ url }],
  read(_, [reply]) {
    const body = reply?.body ?? "";
    const match = /^\s*Active connections:\s+(\d+)/.exec(body);
    if (match === null) return unreadable(`expected stub_status, got ${looksLike(body)}`);
    return {
      kind: "fields",
      fields: [numberReading("viewers", Number(match[1]), "Active connections", remarkOn(body))],
    };
  },
};

function remarkOn(body: string): string | undefined {
  const counts = /^ *(\d+) +(\d+) +\d+[ \r]*$/m.exec(body);
  const lost = counts === null ? 0 : Number(counts[1]) - Number(counts[2]);
  return lost > 0 ? `${lost} connections were dropped at worker_connections or another limit` : undefined;
}
