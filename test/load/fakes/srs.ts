import { sample } from "../reading.ts";
import { type Fake, isBasic, send, serveFake, targetOf } from "./server.ts";

interface Streams {
  streams: { name: string; clients: number }[];
}

/**
 * Pages of ten unless more are asked for; lists without the last slash redirect; errors are 200 with a code; the
 * counters are sampled every third reading only.
 */
export function fakeSrs(options: { streams?: number; user?: string; password?: string } = {}): Promise<Fake> {
  const list = JSON.parse(sample("srs-streams.json")) as Streams;
  const [first] = list.streams;
  const streams = Array.from({ length: options.streams ?? 3 }, (_, i) => ({ ...first, name: `cam${i}` }));
  let readings = 0;
  return serveFake((request, reply) => {
    const { pathname, searchParams } = targetOf(request);
    if (options.user !== undefined && !isBasic(request, options.user, options.password ?? ""))
      return send(reply, 401, "text/plain", "", { "www-authenticate": "Basic" });
    if (pathname === "/api/v1/summaries") return send(reply, 200, "application/json", summaries(readings++));
    if (pathname === "/api/v1/streams")
      return send(reply, 302, "text/plain", "", { location: "/api/v1/streams/" });
    if (pathname !== "/api/v1/streams/")
      return send(reply, 200, "application/json", sample("srs-error.json"));
    const start = Number(searchParams.get("start") ?? 0);
    const count = Math.max(10, Number(searchParams.get("count") ?? 10));
    return send(reply, 200, "application/json", { code: 0, streams: streams.slice(start, start + count) });
  });
}

function summaries(reading: number): object {
  const body = JSON.parse(sample("srs-summaries-1.json")) as {
    data: { now_ms: number; system: { srs_sample_time: number; srs_send_bytes: number } };
  };
  const samples = Math.floor(reading / 3);
  body.data.now_ms += reading * 1000;
  body.data.system.srs_sample_time += samples * 3000;
  body.data.system.srs_send_bytes += samples * 3_000_000;
  return body;
}
