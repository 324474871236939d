/** A real Unbound that forwards client subnets to one server and keeps answers by their scope. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createDnsClient, type DnsClient, queryPacket, readReply, type Reply } from "./dns-client.ts";
import { freePort } from "./network.ts";
import { waitFor } from "./wait.ts";
import type { Door } from "./harness.ts";

export const isUnboundMissing = spawnSync("unbound", ["-V"]).error !== undefined;

export interface Unbound {
  /** As a viewer's resolver in that network, as `203.0.113.0/24`. */
  ask(name: string, subnet: string): Promise<Reply>;
  stop(): Promise<void>;
}

/** @param authority what answers for the zone @param folder for its files */
export async function startUnbound(
  host: string,
  zone: string,
  authority: Door,
  folder: string,
): Promise<Unbound> {
  const port = await freePort(host);
  mkdirSync(folder, { recursive: true });
  const file = join(folder, "unbound.conf");
  writeFileSync(file, configuration({ host, port }, zone, authority, folder));
  const child = spawn("unbound", ["-d", "-c", file], { stdio: ["ignore", "ignore", "pipe"] });
  const errors: Buffer[] = [];
  child.stderr?.on("data", (chunk: Buffer) => errors.push(chunk));
  const client = await createDnsClient({ host, port });
  const ask = (name: string, subnet: string, timeoutMs?: number): Promise<Reply> =>
    askRecursively(client, name, subnet, timeoutMs);
  await waitFor(
    async () => (await ask(zone, "192.0.2.0/24", 500)).rcode === 0,
    20_000,
    () => `unbound to answer: ${Buffer.concat(errors).toString()}`,
  );
  return {
    ask,
    async stop() {
      client.close();
      await ended(child);
    },
  };
}

let lastId = 0;

async function askRecursively(
  client: DnsClient,
  name: string,
  subnet: string,
  timeoutMs = 5000,
): Promise<Reply> {
  lastId = (lastId + 1) & 0xffff;
  const packet = queryPacket(lastId, name, "A", subnet);
  packet[2] = (packet[2] ?? 0) | RECURSION_DESIRED;
  const reply = await client.send(packet, timeoutMs);
  if (reply === undefined) throw new Error(`no reply from unbound for ${name}`);
  return readReply(reply);
}

const RECURSION_DESIRED = 1;

function configuration(at: Door, zone: string, authority: Door, folder: string): string {
  return `
server:
  interface: ${at.host}@${at.port}
  port: ${at.port}
  access-control: 127.0.0.0/8 allow
  module-config: "subnetcache iterator"
  send-client-subnet: ${authority.host}
  client-subnet-always-forward: yes
  max-client-subnet-ipv4: 24
  do-not-query-localhost: no
  do-ip6: no
  username: ""
  chroot: ""
  directory: "${folder}"
  pidfile: "${folder}/unbound.pid"
  logfile: ""
  use-syslog: no
  num-threads: 1
  target-fetch-policy: "0 0 0 0 0"
  prefetch: no
  serve-expired: no
remote-control:
  control-enable: no
stub-zone:
  name: "${zone}"
  stub-addr: ${authority.host}@${authority.port}
  stub-no-cache: no
`;
}

function ended(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    if (child.exitCode !== null) return resolve();
    child.once("exit", () => resolve());
    child.kill("SIGTERM");
  });
}
