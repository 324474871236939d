import type { AntMediaLoad } from "../model/edge.ts";
import { numberAt, parseJson, textAt, valueAt } from "./document.ts";
import {
  type FieldReading,
  numberReading,
  type PullRequest,
  type Reading,
  type Replies,
  type Reply,
  shareReading,
  type SourceType,
  streamsReading,
  unreadable,
} from "./source.ts";
import { under } from "./url.ts";

/** A log-in lasts from reading to reading; one that was refused is not tried again soon, since accounts get locked. */
interface Login {
  readonly cookie?: string;
  readonly refusedAtMs?: number;
}

const PAGE = 50;
const PAGES_MAX = 20;
const LOGIN_PAUSE_MS = 10 * 60_000;

/**
 * Ant Media Server's console API, with a JSON web token of the server, or with a log-in whose cookie is kept.
 * Asked are: the resources; if that is refused, a log-in and the resources again; then an application's streams,
 * of which a page holds 50 at most.
 */
export const antMediaSource: SourceType<AntMediaLoad, Login> = {
  waitsForChallenge: true,
  requests: (source, { before }) => [resources(source, before?.cookie)],
  more(source, replies, { before }) {
    if (replies.length < firstPage(replies)) return nextToLogIn(source, replies, before);
    return nextPage(source, replies, cookieOf(replies, before));
  },
  read(source, replies, before) {
    const parsed = parseJson(replies[firstPage(replies) - 1]?.body ?? "");
    if (parsed.kind === "unreadable" || valueAt(parsed.document, "cpuUsage") === undefined)
      return refusal(replies, before);
    const cookie = cookieOf(replies, before);
    return {
      kind: "fields",
      fields: [
        viewersReading(parsed.document),
        ...machineFields(parsed.document),
        ...(source.application === undefined ? [] : [streamsOf(replies.slice(firstPage(replies)))]),
      ],
      ...(cookie === undefined ? {} : { memory: { cookie } }),
    };
  },
};

function resources(source: AntMediaLoad, cookie: string | undefined): PullRequest {
  return {
    url: under(source.url, "rest/v2/system-resources"),
    headers: headersOf(source, cookie),
    optional: true,
  };
}

function headersOf({ token }: AntMediaLoad, cookie: string | undefined): { [name: string]: string } {
  return {
    accept: "application/json",
    ...(token === undefined ? {} : { proxyauthorization: token, authorization: token }),
    ...(cookie === undefined ? {} : { cookie }),
  };
}

/** Where the list of streams begins among the replies: behind the log-in, if there has to be one. */
function firstPage(replies: Replies): 1 | 3 {
  return replies[0]?.problem === undefined ? 1 : 3;
}

function nextToLogIn(
  source: AntMediaLoad,
  replies: Replies,
  before: Login | undefined,
): PullRequest | undefined {
  const [attempt, login] = replies;
  const { username, password } = source;
  if (!isRefusal(attempt) || username === undefined || password === undefined) return undefined;
  if (login !== undefined) return isLoggedIn(replies) ? resources(source, login.cookie) : undefined;
  const refusedAtMs = before?.refusedAtMs ?? Number.NEGATIVE_INFINITY;
  if (attempt.receivedAtMs - refusedAtMs < LOGIN_PAUSE_MS) return undefined;
  const url = under(source.url, "rest/v2/users/authenticate");
  return { url, json: { email: username, password }, optional: true };
}

/** A server that does not answer, has troubles of its own or still starts has refused nobody. */
function isRefusal(reply: Reply | undefined): reply is Reply {
  const { status = 0 } = reply ?? {};
  return status === 401 || status === 403 || (status >= 300 && status < 400);
}

function isLoggedIn([, login]: Replies): boolean {
  if (login?.problem !== undefined || login?.cookie === undefined) return false;
  const parsed = parseJson(login.body);
  return parsed.kind === "document" && valueAt(parsed.document, "success") !== false;
}

function cookieOf(replies: Replies, before: Login | undefined): string | undefined {
  return firstPage(replies) === 1 ? before?.cookie : replies[1]?.cookie;
}

function refusal(replies: Replies, before: Login | undefined): Reading<Login> {
  const [attempt, login] = replies;
  if (attempt?.problem === undefined)
    return unreadable("expected Ant Media's system resources, got something else");
  if (login !== undefined && isLoginRefused(replies))
    return {
      ...unreadable("it refuses the log-in: check username and password; tried again in 10 minutes"),
      memory: { refusedAtMs: login.receivedAtMs },
    };
  const problem = (replies[2] ?? login ?? attempt).problem ?? attempt.problem;
  if (before?.refusedAtMs === undefined) return unreadable(problem);
  const isWaiting = login === undefined && isRefusal(attempt);
  return {
    ...unreadable(isWaiting ? "it refused the log-in: not tried again yet" : problem),
    memory: before,
  };
}

function isLoginRefused(replies: Replies): boolean {
  const [, login] = replies;
  return (login?.problem === undefined || isRefusal(login)) && !isLoggedIn(replies);
}

/** Of this node, also in a cluster. RTMP viewers are not in it. */
function viewersReading(document: unknown): FieldReading {
  const names = ["localWebRTCViewers", "localHLSViewers", "localDASHViewers"];
  const counts = names.map((name) => numberAt(document, name)).filter((count) => count !== undefined);
  const sum = counts.reduce((total, count) => total + Math.max(0, count), 0);
  return numberReading("viewers", counts.length === 0 ? undefined : sum, names.join(" + "));
}

/**
 * The page cache counts as used in `inUseMemory`: `availableMemory` is what can be had. Older versions do not tell
 * it, and what they call free says nothing: Linux fills all of it with that cache in time.
 */
function machineFields(document: unknown): FieldReading[] {
  const total = numberAt(document, "systemMemoryInfo", "totalMemory") ?? 0;
  const available = numberAt(document, "systemMemoryInfo", "availableMemory");
  const cpu = numberAt(document, "cpuUsage", "systemCPULoad");
  return [
    shareReading("cpu", cpu === undefined || cpu < 0 ? cpu : cpu / 100, "cpuUsage.systemCPULoad ÷ 100"),
    shareReading(
      "memory",
      available === undefined || total <= 0 ? undefined : 1 - available / total,
      "1 - systemMemoryInfo.availableMemory ÷ totalMemory",
    ),
  ];
}

function nextPage(
  source: AntMediaLoad,
  replies: Replies,
  cookie: string | undefined,
): PullRequest | undefined {
  const { url, application } = source;
  const pages = replies.slice(firstPage(replies));
  const last = pages.at(-1);
  const isMore = last === undefined || broadcastsIn(last.body)?.length === PAGE;
  if (application === undefined || !isMore || pages.length >= PAGES_MAX) return undefined;
  const path = `${encodeURIComponent(application)}/rest/v2/broadcasts/list/${pages.length * PAGE}/${PAGE}`;
  return { url: under(url, path), headers: headersOf(source, cookie), optional: true };
}

function streamsOf(pages: Replies): FieldReading {
  const from = "broadcasts that are broadcasting";
  const lists = pages.map(({ body }) => broadcastsIn(body));
  const bad = lists.indexOf(undefined);
  if (bad >= 0 || pages.length === 0) {
    const problem = pages[bad]?.problem ?? "expected a list of broadcasts, got something else";
    return { field: "streams", from, problem };
  }
  const live = lists
    .flatMap((list) => list ?? [])
    .filter((each) => textAt(each, "status") === "broadcasting");
  const isCut = lists.length === PAGES_MAX && lists.at(-1)?.length === PAGE;
  const remark = isCut ? `more than ${PAGE * PAGES_MAX} broadcasts: the rest was not asked for` : undefined;
  return streamsReading(
    live.map((each) => textAt(each, "streamId") ?? ""),
    from,
    remark,
  );
}

function broadcastsIn(body: string): readonly unknown[] | undefined {
  const parsed = parseJson(body);
  return parsed.kind === "document" && Array.isArray(parsed.document) ? parsed.document : undefined;
}
