import { expect, it, onTestFinished } from "vitest";
import { pullOnce } from "../../src/load/once.ts";
import { startPullers } from "../../src/load/puller.ts";
import type { PolledLoad } from "../../src/load/source.ts";
import { edge, inventoryOf } from "../probe/inventory.ts";
import { serveFake } from "./fakes/server.ts";
import { source } from "./reading.ts";

const WORDS = ["s3cret-passphrase", "s3cret-token", "s3cret-password", "s3cret-user", "s3cret-query"];

/** Every type, with every secret that it may have. */
function sourcesAt(url: string): PolledLoad[] {
  const login = { username: "s3cret-user", password: "s3cret-password" };
  const token = { token: "s3cret-token" };
  const page = `${url}/page?key=s3cret-query`;
  const fields = { viewers: { path: ["viewers"], factor: 1 }, streams: { path: ["name"], factor: 1 } };
  return [
    source("mistserver", url, { passphrase: "s3cret-passphrase" }),
    source("nimble", url, token),
    source("ant-media", url, { ...login, ...token }),
    source("ovenmediaengine", url, token),
    source("json", page, { ...login, fields }),
    source("wowza", page, login),
    source("flashphoner", page, login),
    source("nginx-rtmp", page, login),
    source("nginx-stub-status", page, login),
    source("nginx-vts", page, login),
    source("srs", url, login),
    source("varnish", page, login),
    source("haproxy", page, login),
    source("apache", page, login),
    source("node-exporter", page, login),
    source("astats", page, login),
  ];
}

/** Servers of the worst kind: they fail, and repeat in their reply whatever they were told. */
const servers: readonly (readonly [string, number, (told: string) => string])[] = [
  ["refuse", 401, (told) => told],
  ["fail", 500, (told) => told],
  ["repeat it as text", 200, (told) => told],
  ["repeat it as JSON", 200, (told) => JSON.stringify({ viewers: told, name: 7, curr: [told, told, told] })],
  ["repeat it as XML", 200, (told) => `<rtmp><pid>${told}</pid><bw_out>${told}</bw_out></rtmp>`],
];

it.each(servers)("servers that %s do not get a secret told", async (_, status, body) => {
  const { url } = await serveFake((request, reply) => {
    const basic = request.headers.authorization?.replace(/^Basic /, "") ?? "";
    const told = `${request.url} ${basic} ${Buffer.from(basic, "base64").toString()} ${WORDS.join(" ")}`;
    const challenge = 'Digest realm="s3cret-user", nonce="n", qop="auth"';
    reply.writeHead(status, { "www-authenticate": challenge, "x-told": encodeURIComponent(told) });
    reply.end(body(told));
  });
  const sources = sourcesAt(url).map((polled) => ({ ...polled, intervalMs: 100 }));
  const polled = edge("ams1", { load: sources });
  const inventory = inventoryOf([polled]);
  const said: unknown[] = [await pullOnce(polled, inventory)];
  const write = (...line: unknown[]): void => void said.push(line);
  const pullers = startPullers({
    log: { info: write, warn: write, error: write },
    onReport: write,
    onFailure: write,
  });
  onTestFinished(() => pullers.stop());
  pullers.take(inventory);
  const failures = () => pullers.metrics()[0]?.samples.length ?? 0;
  await expect.poll(failures, { timeout: 15_000 }).toBeGreaterThan(9);
  said.push(pullers.metrics());
  const text = JSON.stringify(said);
  for (const word of WORDS) expect(text).not.toContain(word);
  expect(text).not.toContain(Buffer.from("s3cret-token").toString("base64"));
  expect(said.length).toBeGreaterThan(10);
});
