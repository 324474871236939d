import { jsonSource } from "./json.ts";
import type { PolledLoad, SourceType } from "./source.ts";

/** One file per type: a new type is a file and a line here. */
const byType: { readonly [T in PolledLoad["type"]]: SourceType<Extract<PolledLoad, { type: T }>> } = {
  json: jsonSource,
};

export function sourceTypeOf(source: PolledLoad): SourceType<PolledLoad> {
  return byType[source.type];
}
