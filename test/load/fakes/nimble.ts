import { createHash } from "node:crypto";
import { sample } from "../reading.ts";
import { type Fake, send, serveFake, targetOf } from "./server.ts";

/** Salt and hash are required; a `+` in a query is a space, so that a hash that was not encoded fails. */
export function fakeNimble(token: string): Promise<Fake> {
  return serveFake((request, reply) => {
    const { pathname, searchParams } = targetOf(request);
    const salt = searchParams.get("salt") ?? "";
    const hash = createHash("md5").update(`${salt}/${token}`).digest("base64");
    if (salt === "" || searchParams.get("hash") !== hash) return send(reply, 403, "text/plain", "Forbidden");
    const page = PAGES[pathname];
    return page === undefined
      ? send(reply, 404, "text/plain", "")
      : send(reply, 200, "application/json", page);
  });
}

const PAGES: { readonly [path: string]: string } = {
  "/manage/server_status": sample("nimble-server-status.json"),
  "/manage/live_streams_status": sample("nimble-live-streams-status.json"),
};
