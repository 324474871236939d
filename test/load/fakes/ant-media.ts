import type { IncomingMessage, ServerResponse } from "node:http";
import { sample } from "../reading.ts";
import { type Fake, send, serveFake, targetOf } from "./server.ts";

export interface FakeAntMedia extends Fake {
  /** Forgets every session, as a restart does. */
  forget(): void;
  /** From now on, answers everything with that status; with 0 ends each connection unanswered, with 200 works. */
  answerWith(status: number): void;
}

/** By token, or by a session that a log-in opens; a page of broadcasts holds 50 at most. */
export async function fakeAntMedia(options: {
  readonly token?: string;
  readonly password?: string;
  readonly broadcasts?: number;
}): Promise<FakeAntMedia> {
  const sessions = new Set<string>();
  const broadcasts = Array.from({ length: options.broadcasts ?? 1 }, (_, i) => ({
    streamId: `cam${i}`,
    status: "broadcasting",
  }));
  let status = 200;
  const isAllowed = ({ headers }: IncomingMessage): boolean =>
    (options.token !== undefined && headers["proxyauthorization"] === options.token) ||
    sessions.has(headers.cookie ?? "");
  const answer = async (request: IncomingMessage, reply: ServerResponse): Promise<void> => {
    if (status === 0) return void request.socket.destroy();
    if (status !== 200) return send(reply, status, "text/html", "");
    const { pathname } = targetOf(request);
    if (pathname === "/rest/v2/users/authenticate") {
      const { email, password } = JSON.parse(await textOf(request)) as { email: string; password: string };
      const success = email === "admin@example.net" && password === options.password;
      if (success) sessions.add(`JSESSIONID=session${sessions.size}`);
      const cookie = `${[...sessions].at(-1) ?? "JSESSIONID=none"}; Path=/; HttpOnly`;
      return send(reply, 200, "application/json", { success }, { "set-cookie": cookie });
    }
    if (!isAllowed(request)) return send(reply, 403, "text/html", "Invalid Server JWT Token");
    if (pathname === "/rest/v2/system-resources")
      return send(reply, 200, "application/json", sample("ams-system-resources.json"));
    const page = /^\/LiveApp\/rest\/v2\/broadcasts\/list\/(\d+)\/(\d+)$/.exec(pathname);
    if (page === null) return send(reply, 404, "text/html", "");
    const [start, size] = [Number(page[1]), Math.min(50, Number(page[2]))];
    return send(reply, 200, "application/json", broadcasts.slice(start, start + size));
  };
  const fake = await serveFake((request, reply) => void answer(request, reply));
  const answerWith = (next: number): void => {
    status = next;
  };
  return { ...fake, forget: () => sessions.clear(), answerWith };
}

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}
