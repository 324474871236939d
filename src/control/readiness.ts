/** Whether viewers are answered, and what an operator should look at though they are. */
import type { Alarm, FailStatic } from "../condition/fail-static.ts";
import type { SavedOverrides } from "../condition/saved-overrides.ts";
import type { Geo } from "../geo/geo.ts";
import type { CertificateState } from "../http/certificates.ts";
import type { Inventory } from "../model/inventory.ts";
import type { Readiness } from "../model/views.ts";
import type { ReloadView } from "../ops/api.ts";
import { certificateTexts } from "./certificate-alarms.ts";
import { databaseTexts } from "./database-alarms.ts";
import type { Reloads } from "./reloads.ts";
import { lossTexts } from "./service-edges.ts";
import { troubles, troubleText } from "./service-trouble.ts";
import { stillTexts } from "./still-streams.ts";
import type { Worlds } from "./worlds.ts";

export interface ReadinessSources {
  readonly inventory: () => Inventory;
  readonly worlds: Pick<Worlds, "current">;
  readonly failStatic: Pick<FailStatic, "alarms">;
  readonly reloads: Pick<Reloads, "last">;
  readonly geo: Pick<Geo, "databases">;
  readonly certificates: () => readonly CertificateState[];
  readonly saved: Pick<SavedOverrides, "areSaved">;
  /** Why the doors are still closed; empty when they are open. */
  readonly waitingFor: () => readonly string[];
}

/** Alarms have one line each, which everyone may read who may ask whether it is ready. */
export function createReadiness(sources: ReadinessSources): () => Readiness {
  const { inventory, worlds, failStatic, reloads, geo, certificates, saved, waitingFor } = sources;

  /** What nobody knows before the first round of probes is nobody's trouble. */
  const serviceTexts = (): string[] => {
    if (waitingFor().length > 0) return [];
    const [now, world] = [inventory(), worlds.current()];
    return [...troubles(now, world).map(troubleText), ...lossTexts(now, world), ...stillTexts(now, world)];
  };

  return () => ({
    ready: waitingFor().length === 0,
    reasons: waitingFor(),
    alarms: [
      ...failStatic.alarms().map(failStaticText),
      ...serviceTexts(),
      ...refusedEditTexts(reloads.last()),
      ...databaseTexts(geo.databases()),
      ...certificateTexts(certificates(), Date.now()),
      ...(saved.areSaved() ? [] : [NOT_SAVED]),
    ],
  });
}

function failStaticText({ service, family, edges, isCanarySilent }: Alarm): string {
  const those = `${edges.length} ${edges.length === 1 ? "edge" : "edges"}`;
  const canary = isCanarySilent ? "; nor does the canary answer: look at this server's own network" : "";
  return `fail static: ${those} of service ${service} went down at once over IPv${family}; the last good state is kept${canary}`;
}

/** Whoever has edited the file may think that it holds. What is wrong with it is not for everyone. */
function refusedEditTexts({ successful }: ReloadView): string[] {
  return successful
    ? []
    : ["the configuration as it is now is refused, an older one holds: edgeward reload says why"];
}

const NOT_SAVED =
  "drains cannot be written to the state file, and a restart would forget them: the log says why";
