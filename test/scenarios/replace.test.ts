/** Another process in the running one's place: nobody is lost, and what was known is known. */
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { get as httpGet } from "node:http";
import { get as httpsGet } from "node:https";
import { createServer } from "node:net";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { endLeftPrograms } from "../left-programs.ts";
import { LIBC, openNotifySocket } from "../base/notify-socket.ts";
import { decode } from "../dns/answers.ts";
import { option, query } from "../dns/packets.ts";
import { firstDatagram } from "../rfc/harness.ts";
import { certificateFolder } from "../http/certificate-files.ts";
import { createDnsClient, queryPacket, readReply, type Reply, tcpExchange } from "./dns-client.ts";
import {
  CALIFORNIA,
  type Config,
  LIVE,
  LONDON,
  referenceConfig,
  textOf,
  withPackagedDatabases,
} from "./reference.ts";
import { freePort, type Network, takeFolder, takeNetwork } from "./network.ts";
import { sleep, waitFor } from "./wait.ts";
import { PATIENCE_MS, type Service, startService } from "./harness.ts";

const COOKIE = 10;

/** Undone after each test, last first. */
const undo: (() => unknown)[] = [];
afterEach(async () => {
  for (let step = undo.pop(); step !== undefined; step = undo.pop()) await step();
});

interface Setting {
  readonly service: Service;
  readonly config: Config;
  readonly folder: string;
  readonly https: number;
}

async function started(
  network: Network,
  environment: Record<string, string> = {},
  adapted: (config: Config) => Config = (config) => config,
): Promise<Setting> {
  const { folder, remove } = takeFolder();
  undo.push(remove);
  const config = adapted(await referenceConfig(network));
  const https = await freePort(network.host);
  const certificates = certificateFolder();
  undo.push(certificates.remove);
  const certificate = certificates.make("live", LIVE);
  config["listen"].https = { addresses: [`${network.host}:${https}`], certificates: [certificate] };
  Object.assign(config["edges"].nyc1, { load: { type: "push" }, capacity: { viewers: 1000 } });
  const service = await startService({ config, folder, environment });
  undo.push(() => endAll(service, folder));
  return { service, config, folder, https };
}

/** Those that took the place of the one that was started, in their order, as its log names them. */
function successors(service: Service): number[] {
  return [...service.stderr().matchAll(/"pid":(\d+)[^\n]*another process serves/g)].map(([, pid]) =>
    Number(pid),
  );
}

/** One that the log does not name yet holds the pipes open too. */
async function endAll(service: Service, folder: string): Promise<void> {
  for (const pid of [service.pid, ...successors(service)]) kill(pid, "SIGKILL");
  endLeftPrograms(folder, "STATE_DIRECTORY");
  await service.exited;
}

function kill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // Gone already.
  }
}

/** By the command; returns the process that serves now. */
async function replace(service: Service): Promise<number> {
  const { code, stdout, stderr } = await service.cli("replace", "-o", "json");
  expect(stderr).toBe("");
  expect(code).toBe(0);
  const { pid } = JSON.parse(stdout) as { pid: number };
  return pid;
}

/** Whether it is gone. */
function isGone(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return false;
  } catch {
    return true;
  }
}

const gone = (pid: number): Promise<number> => waitFor(() => isGone(pid), 40_000, `process ${pid} to end`);
const answering = (service: Service): Promise<number> =>
  waitFor(async () => (await service.ops("GET", "/readyz")).status === 200, 5000, "the operators' door");

// --- Viewers ----------------------------------------------------------------------------------------

/** Who is lost is closed at once; on a crowded machine this process itself may be late to read what has come. */
const TCP_PATIENCE_MS = 20_000;

async function askTcp(service: Service): Promise<Reply> {
  const query = queryPacket(7, LIVE, "A", `${LONDON}/32`);
  const framed = Buffer.concat([Buffer.from([0, query.length]), query]);
  const sentMs = performance.now();
  const reply = await tcpExchange(service.doors.dns, framed, { timeoutMs: TCP_PATIENCE_MS });
  if (reply.length < 14)
    throw new Error(`${reply.length} octets over TCP after ${performance.now() - sentMs} ms`);
  return readReply(reply.subarray(2));
}

/** On a connection of its own. */
function redirect(url: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const get = url.startsWith("https:") ? httpsGet : httpGet;
    const options = { agent: false, headers: { host: LIVE }, rejectUnauthorized: false, servername: LIVE };
    get(url, options, (response) => {
      response.resume();
      response.once("end", () => resolve(response.statusCode));
    }).once("error", reject);
  });
}

interface Viewers {
  stop(): Promise<{ readonly asked: number; readonly lost: readonly string[] }>;
}

/** 400 queries, 50 TCP connections, 50 redirects and 25 over TLS per second. */
function startViewers({ service, https }: Setting): Viewers {
  const { host, port } = service.doors.http;
  const lost: string[] = [];
  const under = new Set<Promise<void>>();
  let asked = 0;
  const follow = (what: string, answer: Promise<unknown>, expected: unknown): void => {
    asked++;
    const judge = async (): Promise<void> => {
      const got = await answer.catch(String);
      if (got !== expected) lost.push(`${what}: ${String(got)}`);
    };
    const followed: Promise<void> = judge().finally(() => under.delete(followed));
    under.add(followed);
  };
  const ask = async (reply: Promise<Reply>): Promise<number> => (await reply).addresses.length;
  let tick = 0;
  const timer = setInterval(() => {
    for (let i = 0; i < 8; i++) follow("UDP", ask(service.dns.ask(LIVE, { subnet: `${LONDON}/32` })), 1);
    follow("TCP", ask(askTcp(service)), 1);
    follow("HTTP", redirect(`http://${host}:${port}/x.m3u8`), 302);
    if (tick++ % 2 === 0) follow("HTTPS", redirect(`https://${host}:${https}/x.m3u8`), 302);
  }, 20);
  return {
    async stop() {
      clearInterval(timer);
      await Promise.all(under);
      return { asked, lost };
    },
  };
}

/** Several starts of the program, beside whatever else runs here. */
const PATIENCE = { timeout: PATIENCE_MS };

describe.skipIf(LIBC.kind === "unavailable")("replacing the running process", PATIENCE, () => {
  it("loses no query and no connection, and keeps what operators and edges said", async () => {
    const setting = await started(takeNetwork(), {}, withPackagedDatabases);
    const { service } = setting;
    await service.cli("drain", "sin1", "--reason", "tonight");
    expect((await service.ops("PUT", "/v1/edges/nyc1/load", { viewers: 120 })).status).toBe(204);
    // Whom no report will show.
    for (let i = 0; i < 150; i++) await service.get(`/x${i}.m3u8`, { from: `8.8.${i}.8` });
    const proof = "q1w2e3r4t5";
    await service.cli("acme", "set", LIVE, proof);
    const viewers = startViewers(setting);
    await sleep(500);
    const loadBefore = await loadOf(service, "nyc1");
    const pid = await replace(service);
    expect(pid).not.toBe(service.pid);
    await gone(service.pid);
    await answering(service);
    await sleep(500);
    const { asked, lost } = await viewers.stop();
    expect(lost).toEqual([]);
    expect(asked).toBeGreaterThan(500);

    const { json: edges } = await service.ops("GET", "/v1/edges");
    const [sin1, nyc1] = ["sin1", "nyc1"].map((id) => edges.find((edge: { id: string }) => edge.id === id));
    expect(sin1).toMatchObject({ state: "drain", stateOrigin: { reason: "tonight" } });
    expect(nyc1).toMatchObject({ load: { viewers: 120 } });
    const loadAfter = await loadOf(service, "nyc1");
    expect(loadBefore, "more than was reported").toBeGreaterThan(0.15);
    expect(loadAfter / loadBefore, "who was sent by the process before").toBeGreaterThan(0.9);
    const challenge = await service.dns.ask(`_acme-challenge.${LIVE}`, { type: "TXT" });
    expect(challenge.answers).toMatchObject([{ data: [Buffer.from(proof)] }]);
  });

  it("can be done again and again, by a signal too, and leaves no descriptor behind", async () => {
    const { service } = await started(takeNetwork());
    const first = await replace(service);
    await gone(service.pid);
    await answering(service);
    const descriptors = await descriptorsAtRest(first);
    // However often it is asked.
    for (let i = 0; i < 3; i++) process.kill(first, "SIGUSR2");
    await gone(first);
    await answering(service);
    const [, second = 0, ...more] = successors(service);
    expect(more).toEqual([]);
    await expect.poll(() => fewestDescriptors(second), { timeout: 15_000 }).toBe(descriptors);
    expect((await service.dns.ask(LIVE, { subnet: `${LONDON}/32` })).addresses).toHaveLength(1);
    process.kill(second, "SIGTERM");
    expect((await service.exited).code).toBe(0);
  });

  it("RFC 9018 3: takes the cookies that the one before has given", async () => {
    const { service, config } = await started(takeNetwork());
    config["dns"] = { rateLimit: { responsesPerSecond: 0.1, slip: 1 } };
    writeFileSync(service.configFile, textOf(config));
    await service.cli("reload");
    const ask = async (cookie: Uint8Array) => {
      const { host, port } = service.doors.dns;
      const packet = query({ name: LIVE, edns: { options: [option(COOKIE, [...cookie])] } });
      return decode(await firstDatagram(host, port, [packet]));
    };
    const first = await ask(Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8));
    expect(first.tc).toBe(true);
    const cookie = first.opt?.options.get(COOKIE) as Buffer;
    expect((await ask(cookie)).tc).toBe(false);
    const pid = await replace(service);
    await gone(service.pid);
    expect((await ask(cookie)).tc).toBe(false);
    expect((await ask(cookie.fill(0, 16))).tc).toBe(true);
    kill(pid, "SIGTERM");
    await gone(pid);
  });

  it("keeps in a new state file what operators said before it was named", async () => {
    const { service, config, folder } = await started(takeNetwork());
    config["stateFile"] = join(folder, "new.json");
    writeFileSync(service.configFile, textOf(config));
    await service.cli("reload");
    expect(service.stderr()).toContain("drains are kept in the new state file from");
    await service.cli("drain", "ams1", "--reason", "moved");
    await replace(service);
    await waitFor(() => existsSync(join(folder, "new.json")), 5000, "the new state file");
    expect(readFileSync(join(folder, "new.json"), "utf8")).toContain('"reason": "moved"');
  });

  it("takes up new addresses and gives up old ones", async () => {
    const network = takeNetwork();
    const { service, config } = await started(network);
    const port = await freePort(network.host);
    const old = service.doors.dns;
    config["listen"].dns = [`${network.host}:${port}`];
    writeFileSync(service.configFile, textOf(config));
    await replace(service);
    await gone(service.pid);
    const dns = await createDnsClient({ host: network.host, port });
    undo.push(() => dns.close());
    expect((await dns.ask(LIVE, { subnet: `${LONDON}/32` })).addresses).toHaveLength(1);
    const before = await createDnsClient(old);
    undo.push(() => before.close());
    await expect(before.ask(LIVE, { timeoutMs: 300 })).rejects.toThrow("no reply");
  });

  it("is refused with every problem of the configuration, and the running process serves on", async () => {
    const { service, config } = await started(takeNetwork());
    config["edges"].ams1.location.latitude = 152;
    writeFileSync(service.configFile, textOf(config));
    const { code, stderr } = await service.cli("replace");
    expect(code).toBe(3);
    expect(stderr).toContain("edges.ams1.location.latitude: 152");
    expect((await service.ops("GET", "/readyz")).status).toBe(200);
    await service.stop();
  });

  it("fails when the new process ends, and the running one serves on", async () => {
    const network = takeNetwork();
    const { service, config } = await started(network);
    const taken = createServer();
    const port = await freePort(network.host);
    await new Promise<void>((resolve) => void taken.listen(port, network.host, resolve));
    undo.push(() => void taken.close());
    config["listen"].http.push(`${network.host}:${port}`);
    writeFileSync(service.configFile, textOf(config));
    const { code, stderr } = await service.cli("replace");
    expect(code).toBe(1);
    expect(stderr).toContain("ended before it served (exit code 1): the log says why");
    expect(service.stderr()).toContain(`cannot listen for HTTP on ${network.host}:${port}`);
    expect((await service.dns.ask(LIVE, { subnet: `${LONDON}/32` })).addresses).toHaveLength(1);
    expect(await redirect(`http://${network.host}:${service.doors.http.port}/x`)).toBe(302);
    expect((await service.ops("GET", "/readyz")).status).toBe(200);
  });

  it("tells the service manager who serves", async () => {
    const socket = openNotifySocket();
    undo.push(() => socket.close());
    const { service } = await started(takeNetwork(), { NOTIFY_SOCKET: socket.name });
    await waitFor(() => socket.received().includes("READY=1"), 2000, "READY");
    const pid = await replace(service);
    await gone(service.pid);
    await answering(service);
    process.kill(pid, "SIGTERM");
    await service.exited;
    expect(socket.received()).toEqual([`MAINPID=${pid}`, "READY=1", "STOPPING=1"]);
  });

  it("is refused to the demo, whose edges would end", async () => {
    const { folder, remove } = takeFolder();
    undo.push(remove);
    const config = await referenceConfig(takeNetwork());
    const configFile = join(folder, "edgeward.yaml");
    writeFileSync(configFile, textOf(config));
    const args = ["serve", "--demo", "-c", configFile];
    const service = await startService({ config, folder, configFile, args });
    undo.push(() => endAll(service, folder));
    const { code, stderr } = await service.cli("replace");
    expect([code, stderr]).toEqual([1, expect.stringContaining("serve without --demo")]);
  });
});

/** With those in it whom no report shows yet. */
async function loadOf(service: Service, edgeId: string): Promise<number> {
  const { json } = await service.ops("GET", `/v1/explain?hostname=${LIVE}&ip=${CALIFORNIA}`);
  return json.edges.find(({ id }: { id: string }) => id === edgeId).load;
}

/** Those that it keeps: the thread that surveys the GeoIP database has four of its own, for seconds after the start. */
async function descriptorsAtRest(pid: number): Promise<number> {
  const counts: number[] = [];
  while (counts.length < 5 || new Set(counts.slice(-5)).size > 1) counts.push(await fewestDescriptors(pid));
  return counts.at(-1) as number;
}

/** How many it has open, the fewest within a second: a file that is read and a probe on its way are gone in between. */
async function fewestDescriptors(pid: number): Promise<number> {
  const counts: number[] = [];
  for (let i = 0; i < 20; i++) {
    counts.push(readdirSync(`/proc/${pid}/fd`).length);
    await sleep(50);
  }
  return Math.min(...counts);
}
