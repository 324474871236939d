import { join } from "node:path";
import { knotServer } from "../../bench/lib/knot.mjs";
import type { Zone } from "../../src/model/zone.ts";
import { query } from "../dns/packets.ts";
import { zoneFile } from "../dns/zone-file.ts";
import { removeFolder, startProgram, takeServerFolder } from "../servers/programs.ts";
import { firstDatagram } from "./harness.ts";
import { freePort } from "./nsd.ts";

export interface Knot {
  readonly port: number;
  stop(): Promise<void>;
}

const PATIENCE_MS = 20_000;

/** With so many responses per second. */
export function rateLimited(rateLimit: number): KnotModule {
  return { name: "mod-rrl", settings: [`rate-limit: ${rateLimit}`, "slip: 2"] };
}

/** One of its modules, for the zone. */
export interface KnotModule {
  readonly name: string;
  readonly settings: readonly string[];
}

/** Knot DNS with the zone and a module, on a port of 127.0.0.1; resolves when it answers. */
export async function startKnot(zone: Zone, module: KnotModule): Promise<Knot> {
  const folder = takeServerFolder();
  const port = await freePort();
  const files = {
    "knot.conf": configuration(folder, port, zone.name, module),
    "zone.zone": zoneFile(zone),
  };
  const program = startProgram({ command: "knotd", folder, files, args: ["-c", join(folder, "knot.conf")] });
  const stop = async (): Promise<void> => {
    await program.stop();
    removeFolder(folder);
  };
  const endMs = performance.now() + PATIENCE_MS;
  for (;;) {
    const packet = query({ name: zone.name, type: 6 });
    const answer = await firstDatagram("127.0.0.1", port, [packet]).catch(() => undefined);
    if (answer !== undefined) return { port, stop };
    if (performance.now() < endMs && program.process.exitCode === null) continue;
    await stop();
    throw new Error(`knotd does not answer: ${program.said()}`);
  }
}

function configuration(folder: string, port: number, zone: string, { name, settings }: KnotModule): string {
  return `${knotServer(folder, port)}log:
  - target: stderr
    any: warning
${name}:
  - id: one
${settings.map((line) => `    ${line}\n`).join("")}zone:
  - domain: ${zone}
    storage: ${folder}
    file: zone.zone
    module: ${name}/one
`;
}
