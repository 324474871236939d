import { type ChildProcess, spawn } from "node:child_process";
import { createSocket } from "node:dgram";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Zone } from "../../src/model/zone.ts";
import { query } from "../dns/packets.ts";
import { zoneFile } from "../dns/zone-file.ts";

export interface Nsd {
  readonly port: number;
  stop(): Promise<void>;
}

/**
 * NSD with the zones, on a port of 127.0.0.1; resolves when it answers.
 * @param rateLimit responses per second; 0: any number
 * @param settings more lines of the section `server`
 */
export async function startNsd(zones: readonly Zone[], rateLimit = 0, settings = ""): Promise<Nsd> {
  const folder = mkdtempSync(join(tmpdir(), "edgeward-nsd-"));
  const port = await freePort();
  for (const zone of zones) writeFileSync(join(folder, `${zone.name}.zone`), zoneFile(zone));
  const file = join(folder, "nsd.conf");
  writeFileSync(file, configuration(folder, port, zones, rateLimit, settings));
  const child = spawn("nsd", ["-d", "-c", file], { stdio: ["ignore", "ignore", "pipe"] });
  const errors: Buffer[] = [];
  child.stderr?.on("data", (chunk: Buffer) => errors.push(chunk));
  const stop = async (): Promise<void> => {
    await ended(child);
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await answering(port, child);
    return { port, stop };
  } catch (error) {
    await stop();
    throw new Error(`nsd: ${Buffer.concat(errors).toString()}`, { cause: error });
  }
}

function configuration(
  folder: string,
  port: number,
  zones: readonly Zone[],
  rateLimit: number,
  settings: string,
): string {
  return `
server:
  ip-address: 127.0.0.1
  port: ${port}
  username: ""
  chroot: ""
  zonesdir: "${folder}"
  pidfile: "${folder}/nsd.pid"
  xfrdfile: "${folder}/xfrd.state"
  xfrdir: "${folder}"
  zonelistfile: "${folder}/zone.list"
  database: ""
  server-count: 1
  hide-version: yes
  hide-identity: yes
  minimal-responses: yes
  rrl-ratelimit: ${rateLimit}
  rrl-slip: 2
  rrl-whitelist-ratelimit: 0
  ipv4-edns-size: 1232
  ${settings}
remote-control:
  control-enable: no
${zones.map(({ name }) => `zone:\n  name: "${name}"\n  zonefile: "${name}.zone"\n`).join("")}`;
}

export async function freePort(): Promise<number> {
  const server = createServer();
  const port = await new Promise<number>((resolve) => {
    server.listen(0, "127.0.0.1", () => resolve((server.address() as { port: number }).port));
  });
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Asks every 50 ms until there is an answer. */
function answering(port: number, child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = createSocket("udp4");
    const packet = query({ name: "example" });
    const timer = setInterval(() => socket.send(packet, port, "127.0.0.1"), 50);
    const deadline = setTimeout(() => done(() => reject(new Error("nsd does not answer"))), 20_000);
    const done = (then: () => void): void => {
      clearInterval(timer);
      clearTimeout(deadline);
      socket.close();
      then();
    };
    child.once("exit", () => done(() => reject(new Error("nsd has ended"))));
    socket.on("error", () => {});
    socket.once("message", () => {
      child.removeAllListeners("exit");
      done(resolve);
    });
  });
}

function ended(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    if (child.exitCode !== null) return resolve();
    child.once("exit", () => resolve());
    child.kill("SIGTERM");
  });
}
