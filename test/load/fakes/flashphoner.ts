import { sample } from "../reading.ts";
import { type Fake, send, serveFake, targetOf } from "./server.ts";

/** Statistics as text; without streams_viewers in them, streams are only at the REST API. */
export function fakeFlashphoner({ listsViewers }: { listsViewers: boolean }): Promise<Fake> {
  const text = sample("flashphoner-stat.txt");
  const statistics = listsViewers ? text : text.replace(/^streams_viewers=.*\n/m, "");
  return serveFake((request, reply) => {
    const { pathname, searchParams } = targetOf(request);
    if (pathname === "/" && searchParams.get("action") === "stat")
      return send(reply, 200, "text/plain", statistics);
    if (pathname === "/rest-api/stream/find_all")
      return send(reply, 200, "application/json", sample("flashphoner-stream-find-all.json"));
    return send(reply, 404, "text/plain", "");
  });
}
