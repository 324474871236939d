import type { CheckView } from "../cli/views.ts";
import { whereWritten } from "../config/where.ts";
import { openGeo } from "../geo/geo.ts";
import type { Inventory } from "../model/inventory.ts";
import type { Note, Problem } from "../model/problem.ts";
import { collecting } from "./collecting-log.ts";
import { readConfiguration } from "./configured.ts";
import { countryNotes } from "./country-notes.ts";
import { mixedContentNotes } from "./mixed-content-notes.ts";
import { serviceNotes } from "./service-notes.ts";
import { zoneNotes } from "./zone-notes.ts";

export async function check(configFile: string): Promise<CheckView> {
  const loaded = await readConfiguration(configFile);
  if (loaded.kind === "problems") return { file: configFile, problems: loaded.problems };
  const { inventory } = loaded;
  const notes = await placed(inventory, [
    ...(await databaseNotes(inventory)),
    ...serviceNotes(inventory),
    ...countryNotes(inventory),
    ...mixedContentNotes(inventory),
    ...zoneNotes(inventory),
  ]);
  const summary = summaryOf(inventory);
  return { file: configFile, problems: [], ...(notes.length > 0 && { notes }), summary };
}

async function placed({ file }: Inventory, notes: readonly Note[]): Promise<readonly Problem[]> {
  if (notes.length === 0) return [];
  const places = await whereWritten(
    file,
    process.env,
    notes.map(({ path }) => path),
  );
  return notes.map(({ message }, i) => ({ ...(places[i] as Omit<Problem, "message">), message }));
}

/** Of those that the configuration names: read and judged as a service does at its start. */
async function databaseNotes({ geoip }: Inventory): Promise<readonly Note[]> {
  const named = (["city", "asn"] as const).flatMap((role) =>
    geoip[role].map((path, i) => ({ role, path, written: ["geoip", role, i] })),
  );
  if (named.length === 0) return [];
  const geo = await openGeo({ files: geoip, places: [], log: collecting([]), packagedCity: [] });
  geo.stop();
  return named.flatMap(({ role, path, written }): readonly Note[] => {
    const flaw = geo.databases().find((known) => known.path === path && known.role === role)?.flaw;
    if (flaw === undefined) return [];
    const message = `${path} is not used (${flaw.reason}): ${flaw.detail}; edgeward starts all the same, and locates viewers without it`;
    return [{ path: written, message }];
  });
}

function summaryOf({ edges, services, zones }: Inventory): string {
  return [counted(edges, "edge"), counted(services, "service"), counted(zones, "zone")].join(", ");
}

function counted(things: readonly unknown[], name: string): string {
  return `${things.length} ${name}${things.length === 1 ? "" : "s"}`;
}
