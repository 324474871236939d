import { createHash } from "node:crypto";
import type { NimbleLoad } from "../model/edge.ts";
import { isObject, listAt, numberAt, parseJson, textAt } from "./document.ts";
import {
  type FieldReading,
  numberReading,
  type Reply,
  shareReading,
  type SourceType,
  streamsReading,
  unreadable,
} from "./source.ts";
import { under } from "./url.ts";

/** Nimble Streamer's native API, with its salted hash of the management token. */
export const nimbleSource: SourceType<NimbleLoad> = {
  requests: ({ url, token }, { random }) => [
    { url: under(url, "manage/server_status") + proofOf(token, random) },
    { url: under(url, "manage/live_streams_status") + proofOf(token, random), optional: true },
  ],
  read(_, [status, streams]) {
    const parsed = parseJson(status?.body ?? "");
    if (parsed.kind === "unreadable") return parsed;
    const { document } = parsed;
    if (numberAt(document, "Connections") === undefined && numberAt(document, "OutRate") === undefined)
      return unreadable("expected Nimble's server_status, got other JSON");
    return {
      kind: "fields",
      fields: [
        numberReading("viewers", numberAt(document, "Connections"), "Connections"),
        numberReading("bandwidth", numberAt(document, "OutRate"), "OutRate"),
        shareReading("cpu", cpuShare(numberAt(document, "SysInfo", "scl")), "SysInfo.scl"),
        shareReading(
          "memory",
          memoryShare(document),
          "1 - SysInfo.fpms ÷ tpms",
          "the page cache counts as used",
        ),
        streamsOf(streams),
      ],
    };
  },
};

/** The query that shows the token without telling it: `salt`, and base64 of MD5 of `salt/token`. */
function proofOf(token: string | undefined, random: () => number): string {
  if (token === undefined) return "";
  const salt = Math.floor(random() * 1_000_001);
  const hash = createHash("md5").update(`${salt}/${token}`).digest("base64");
  return `?salt=${salt}&hash=${encodeURIComponent(hash)}`;
}

/** 0..1; what is above is a percentage. */
function cpuShare(load: number | undefined): number | undefined {
  return load !== undefined && load > 1 ? load / 100 : load;
}

function memoryShare(document: unknown): number | undefined {
  const free = numberAt(document, "SysInfo", "fpms");
  const total = numberAt(document, "SysInfo", "tpms") ?? 0;
  return free === undefined || total <= 0 ? undefined : 1 - free / total;
}

function streamsOf(reply: Reply | undefined): FieldReading {
  const from = "app/strm of live_streams_status";
  if (reply?.problem !== undefined) return { field: "streams", from, problem: reply.problem };
  const parsed = parseJson(reply?.body ?? "");
  if (parsed.kind === "unreadable") return { field: "streams", from, problem: parsed.problem };
  const { document } = parsed;
  if (!isObject(document)) return { field: "streams", from, problem: "expected a list of applications" };
  return streamsReading(
    Array.isArray(document) ? document.flatMap(namesInApplication) : namesInApplication(document),
    from,
  );
}

/** Some versions name the application in each stream. */
function namesInApplication(application: unknown): string[] {
  return listAt(application, "streams").flatMap((stream) => {
    const app = textAt(application, "app") ?? textAt(stream, "app") ?? textAt(stream, "application");
    const name = textAt(stream, "strm") ?? textAt(stream, "stream");
    return name === undefined ? [] : [app === undefined ? name : `${app}/${name}`];
  });
}
