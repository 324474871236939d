import type { MistServerLoad } from "../model/edge.ts";
import type { MistServerDetails } from "../model/mistserver.ts";
import { advance } from "./counters.ts";
import { listAt, membersAt, numberAt, parseJson, valueAt } from "./document.ts";
import { bandwidthReading } from "./rates.ts";
import { numberReading, shareReading, type SourceType, streamsReading, unreadable } from "./source.ts";
import { under } from "./url.ts";

/** MistServer's controller: JSON at a path that is its passphrase. Whatever else is asked gives its web interface. */
export const mistServerSource: SourceType<MistServerLoad> = {
  requests: ({ url, passphrase }) => [{ url: under(url, `${encodeURIComponent(passphrase)}.json`) }],
  read(_, [reply], before) {
    const { body = "", receivedAtMs = 0 } = reply ?? {};
    if (body.trimStart().startsWith("<")) return unreadable(WEB_INTERFACE);
    const parsed = parseJson(body);
    if (parsed.kind === "unreadable") return parsed;
    const { document } = parsed;
    if (numberAt(document, "curr", 0) === undefined)
      return unreadable("expected MistServer's load, got other JSON");
    const memory = advance(before, octetsOut(document), { receivedAtMs });
    const limit = numberAt(document, "bwlimit") ?? 0;
    return {
      kind: "fields",
      fields: [
        numberReading("viewers", numberAt(document, "curr", 0), "curr[0]"),
        bandwidthReading(memory, "bw[0] × 8 per second"),
        shareReading("cpu", thousandth(numberAt(document, "cpu")), "cpu ÷ 1000"),
        shareReading(
          "memory",
          memoryShare(document),
          "mem_used + shm_used of mem_total, or shm_used of its own",
        ),
        streamsReading(liveStreams(document), "streams with an input"),
      ],
      ...(limit > 0 ? { capacity: { bandwidth: limit * 8 } } : {}),
      details: detailsIn(document),
      memory,
      again: memory.gap === "first",
    };
  },
};

const WEB_INTERFACE =
  "it answers with its web interface: the passphrase is wrong, or its Prometheus output is switched off";

function octetsOut(document: unknown): { [name: string]: number } {
  const sent = numberAt(document, "bw", 0);
  return sent === undefined ? {} : { bw: sent };
}

function thousandth(value: number | undefined): number | undefined {
  return value === undefined ? undefined : value / 1000;
}

/** Shared memory counts as page cache, so it is not in mem_used; and it fills up by itself, too. */
function memoryShare(document: unknown): number | undefined {
  const used = numberAt(document, "mem_used");
  const total = numberAt(document, "mem_total");
  if (used === undefined || total === undefined) return undefined;
  const shared = numberAt(document, "shm_used") ?? 0;
  const sharedTotal = numberAt(document, "shm_total") ?? 0;
  return Math.max((used + shared) / (total || 1), shared / (sharedTotal || 1));
}

function liveStreams(document: unknown): string[] {
  return membersAt(document, "streams")
    .filter(([name, stream]) => name !== "" && (numberAt(stream, "curr", 1) ?? 0) > 0)
    .map(([name]) => name);
}

/** What its balancer is asked for; of a great many streams, as many as a report may name. */
function detailsIn(document: unknown): MistServerDetails {
  const outputs = membersAt(document, "outputs").filter(
    (output): output is [string, string] => typeof output[1] === "string",
  );
  const streams = membersAt(document, "streams").filter(([name]) => name !== "" && name.length <= 512);
  const tags = listAt(document, "tags").filter((tag) => typeof tag === "string");
  return {
    outputs: Object.fromEntries(outputs.slice(0, 100)),
    streams: streams.slice(0, 10_000).map(([name, stream]) => ({
      name,
      viewers: numberAt(stream, "curr", 0) ?? 0,
      inputs: numberAt(stream, "curr", 1) ?? 0,
      octetsOut: numberAt(stream, "bw", 0) ?? 0,
      octetsIn: numberAt(stream, "bw", 1) ?? 0,
      isReplica: valueAt(stream, "rep") === true,
    })),
    tags: tags.slice(0, 100),
  };
}
