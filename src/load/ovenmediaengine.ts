import type { OvenMediaEngineLoad } from "../model/edge.ts";
import { advance } from "./counters.ts";
import { membersAt, numberAt, numberIn, parseJson, textAt, valueAt } from "./document.ts";
import {
  type FieldReading,
  numberReading,
  type PullRequest,
  type Reply,
  type SourceType,
  streamsReading,
  unreadable,
} from "./source.ts";
import { bandwidthReading } from "./rates.ts";
import { under } from "./url.ts";

/** OvenMediaEngine's API. Its token goes out as a Basic credential without a user. */
export const ovenMediaEngineSource: SourceType<OvenMediaEngineLoad> = {
  requests(source) {
    const { url, application } = source;
    const current: PullRequest = { url: under(url, "v1/stats/current"), ...headersOf(source) };
    if (application === undefined) return [current];
    const streams = under(url, `v1/vhosts/${placeOf(application)}/streams`);
    return [current, { url: streams, ...headersOf(source), optional: true }];
  },
  read({ application }, [reply, streams], before) {
    const parsed = parseJson(reply?.body ?? "");
    if (parsed.kind === "unreadable") return parsed;
    const { document } = parsed;
    const status = numberAt(document, "statusCode") ?? 200;
    if (status !== 200) return unreadable(`it answers with its error ${status}`);
    const figures = valueAt(document, "response");
    if (numberAt(figures, "totalConnections") === undefined)
      return unreadable("expected OvenMediaEngine's statistics, got other JSON");
    const sent = numberAt(figures, "totalBytesOut");
    const moment = { receivedAtMs: reply?.receivedAtMs ?? 0, life: textAt(figures, "createdTime") ?? "" };
    const memory = advance(before, sent === undefined ? {} : { sent }, moment);
    return {
      kind: "fields",
      fields: [
        viewersReading(figures),
        bandwidthReading(memory, "totalBytesOut × 8 per second"),
        ...(application === undefined ? [] : [streamsOf(streams)]),
      ],
      memory,
      again: memory.gap === "first",
    };
  },
};

function headersOf({ token }: OvenMediaEngineLoad): Pick<PullRequest, "headers"> {
  if (token === undefined) return {};
  return { headers: { authorization: `Basic ${Buffer.from(token).toString("base64")}` } };
}

/** `APPLICATION` of the default virtual host, or `VHOST/APPLICATION`. */
function placeOf(application: string): string {
  const slash = application.indexOf("/");
  const [vhost, app] =
    slash < 0 ? ["default", application] : [application.slice(0, slash), application.slice(slash + 1)];
  return `${encodeURIComponent(vhost)}/apps/${encodeURIComponent(app)}`;
}

/** Child edges, re-streams, recordings and thumbnails are connections, but nobody watches them. */
function viewersReading(figures: unknown): FieldReading {
  const connections = membersAt(figures, "connections");
  if (connections.length === 0)
    return numberReading("viewers", numberAt(figures, "totalConnections"), "totalConnections");
  const watched = connections.filter(([kind]) => !NOT_VIEWERS.has(kind));
  const sum = watched.reduce((total, [, count]) => total + (numberIn(count) ?? 0), 0);
  return numberReading("viewers", sum, "connections, without ovt, push, file and thumbnail");
}

const NOT_VIEWERS: ReadonlySet<string> = new Set(["ovt", "push", "file", "thumbnail"]);

function streamsOf(reply: Reply | undefined): FieldReading {
  const from = "streams of the application";
  if (reply?.problem !== undefined) return { field: "streams", from, problem: reply.problem };
  const parsed = parseJson(reply?.body ?? "");
  const names = parsed.kind === "document" ? valueAt(parsed.document, "response") : undefined;
  if (!Array.isArray(names)) return { field: "streams", from, problem: "expected a list of names" };
  return streamsReading(
    names.filter((name) => typeof name === "string"),
    from,
  );
}
