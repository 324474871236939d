import { connect } from "node:net";
import fc from "fast-check";
import { afterAll, beforeAll, expect, it } from "vitest";
import { AMSTERDAM, openDoor, repliesIn, type Reply, type TestDoor } from "./fixture.ts";

const CASES = 10_000;
const PER_CONNECTION = 100;

let test: TestDoor;
beforeAll(async () => {
  test = await openDoor();
});
afterAll(async () => {
  await test.door.stop();
});

const piece = fc.constantFrom(
  ...Array.from("/\\@:?#;%.,&=+*!$'()[]{}|^`~\"<>-_ \t\r\n\u0000\u007f\u00e9\u00ff"),
  ..."//|\\\\|/..|../|/./|.|%2F|%5c|%0d%0aX:y|%00|%zz|%|%e9|%c0%af|evil.example|@evil.example|http://|https:|javascript:|:80|[::1]|127.0.0.1|0x7f.1|;/..;|xn--e1afmkfd|?url=http://evil.example|#@evil.example".split(
    "|",
  ),
);
const start = fc.constantFrom(
  "/",
  "/",
  "/",
  "//",
  "/\\",
  "/@",
  "/..//",
  "/;",
  "/%2F",
  "http://live.example.net",
  "http://live.example.net/",
  "",
);
const target = fc
  .tuple(
    start,
    fc.array(
      fc.oneof({ weight: 4, arbitrary: piece }, { weight: 1, arbitrary: fc.stringMatching(/^[ -~]{1,4}$/) }),
      { maxLength: 12 },
    ),
  )
  .map(([first, rest]) => (first + rest.join("")).replace(/^ +| +$/g, "")); // spaces around are not part of it

/** Sends the targets down one connection; when the parser gives it up, goes on with a new one after the offender. */
async function repliesTo(targets: readonly string[]): Promise<Reply[]> {
  const replies: Reply[] = [];
  while (replies.length < targets.length) {
    const text = targets
      .slice(replies.length)
      .map((target) => `GET ${target} HTTP/1.1\r\nHost: live.example.net\r\n\r\n`)
      .join("");
    const got = repliesIn(await pipelined(text));
    if (got.length === 0) throw new Error(`no reply to ${JSON.stringify(targets[replies.length])}`);
    replies.push(...got.slice(0, targets.length - replies.length));
  }
  return replies;
}

async function pipelined(text: string): Promise<string> {
  return await new Promise((resolve, reject) => {
    const socket = connect(test.port, "127.0.0.1");
    let received = "";
    socket.setEncoding("latin1").on("data", (data: string) => {
      received += data;
    });
    socket.once("error", reject);
    socket.once("close", () => resolve(received));
    socket.end(Buffer.from(text, "latin1"));
  });
}

it(`leads ${CASES} hostile targets to the configured host, or refuses them`, {
  timeout: 60_000,
}, async () => {
  // A target with a line break in it is several requests at once, and would blur which reply belongs to which.
  const oneLine = target.filter((text) => !/[\r\n]/.test(text));
  const targets = fc.sample(oneLine, { numRuns: CASES, seed: 1 });
  const seen = new Map<number, number>();
  for (let i = 0; i < CASES; i += PER_CONNECTION) {
    const batch = targets.slice(i, i + PER_CONNECTION);
    const replies = await repliesTo(batch);
    batch.forEach((target, j) => check(target, replies[j] as Reply));
    for (const { status } of replies) seen.set(status, (seen.get(status) ?? 0) + 1);
  }
  expect(seen.get(302)).toBeGreaterThan(CASES / 5);
  expect(seen.get(400)).toBeGreaterThan(CASES / 20);
});

it("keeps header fields whole whatever line breaks a target has", { timeout: 30_000 }, async () => {
  const broken = target.filter((text) => /[\r\n]/.test(text));
  for (const target of fc.sample(broken, { numRuns: 500, seed: 2 })) {
    const text = await pipelined(`GET ${target} HTTP/1.1\r\nHost: live.example.net\r\n\r\n`);
    for (const { status, headers } of repliesIn(text)) {
      expect([302, 400, 421]).toContain(status);
      expect(Object.keys(headers)).not.toContain("x");
      if (status === 302) expect(new URL(headers["location"] as string).host).toBe("127.0.0.11:8081");
    }
  }
});

/** Every legal target of ours is redirected octet for octet; the rest is refused, and nothing else happens. */
function check(target: string, { status, headers, body }: Reply): void {
  expect([302, 400, 404, 421]).toContain(status);
  expect(body).toMatch(
    /^(302 Found|400 Bad Request(: .*)?|404 Not Found: .*|421 Misdirected Request: .*)\n$/,
  );
  if (/^\/[\x21-\x7e]*$/.test(target) && !target.startsWith("/.edgeward"))
    expect({ target, status }).toEqual({ target, status: 302 });
  const { location } = headers;
  expect(location !== undefined).toBe(status === 302);
  if (location === undefined) return;
  const url = new URL(location);
  expect([url.protocol, url.host, url.username, url.password]).toEqual(["http:", "127.0.0.11:8081", "", ""]);
  expect(location).toMatch(/^[\x21-\x7e]+$/);
  if (target.startsWith("/")) expect(location).toBe(`${AMSTERDAM.url}${target}`);
}
