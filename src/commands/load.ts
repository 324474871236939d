import type { Answer } from "../cli/answer.ts";
import type { LoadView } from "../cli/views.ts";
import { mergeReports } from "../condition/merge.ts";
import { pullOnce } from "../load/once.ts";
import { withEdge } from "./configured.ts";

export function load(configFile: string, edgeId: string): Promise<Answer<LoadView>> {
  return withEdge(configFile, edgeId, async (edge, inventory) => {
    const sources = await pullOnce(edge, inventory);
    const received = sources.map(({ report }) => ({ report, atMs: 0, staleAfterMs: Infinity }));
    return { edgeId, report: mergeReports(received, 0), sources };
  });
}
