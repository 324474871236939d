import type { Draft, DraftEdge, Note, Original, Refused } from "./draft.ts";
import type { ImportFormat } from "./formats.ts";
import { importFlashphoner } from "./flashphoner.ts";
import { importGdnsd } from "./gdnsd.ts";
import { importMirrorsCsv } from "./mirrors-csv.ts";
import { importMistServer } from "./mistserver.ts";
import { importRedirectorPhp } from "./redirector-php.ts";
import { writeDraft } from "./write.ts";

/** What can be imported, and how each is read. All of it is pure. */
const IMPORTERS = {
  flashphoner: ([first]: readonly [Original, ...Original[]]) => importFlashphoner(first),
  mistserver: (originals: readonly [Original, ...Original[]]) => importMistServer(originals),
  "redirector-php": ([first]: readonly [Original, ...Original[]]) => importRedirectorPhp(first),
  gdnsd: (originals: readonly [Original, ...Original[]]) => importGdnsd(originals),
  csv: ([first]: readonly [Original, ...Original[]]) => importMirrorsCsv(first),
} as const satisfies Record<ImportFormat, unknown>;

export interface ImportOptions {
  /** For services whose hostname the other program does not know. */
  readonly hostname: string;
  /** Where an address is, by GeoIP; the words say what that is worth. */
  readonly locate: (address: string) => Guess | undefined;
  /** What was typed, for the head of the file. */
  readonly command: string;
}

export interface Guess {
  readonly latitude: number;
  readonly longitude: number;
  readonly words: string;
}

export type Imported =
  | { readonly kind: "imported"; readonly yaml: string; readonly notes: readonly Note[] }
  | Refused;

/** Another program's configuration as ours, and what of it could not be carried over. */
export function importFrom(
  format: ImportFormat,
  originals: readonly [Original, ...Original[]],
  options: ImportOptions,
): Imported {
  const draft = IMPORTERS[format](originals);
  if ("kind" in draft) return draft;
  const placed = withPlaces(draft, originals[0].file, options.locate);
  return { kind: "imported", yaml: writeDraft(placed, options), notes: placed.notes };
}

function isOnEarth({ latitude, longitude }: NonNullable<DraftEdge["location"]>): boolean {
  return Math.abs(latitude) <= 90 && Math.abs(longitude) <= 180;
}

/** Edges of which the other program does not say where they are get GeoIP's word, where it has one. */
function withPlaces(draft: Draft, file: string, locate: ImportOptions["locate"]): Draft {
  const assumed = { file, message: "zones: the nameservers and the contact are assumed; write yours" };
  const notes = [...draft.notes, assumed];
  const edges = draft.edges.map((given): DraftEdge => {
    const { location, ...edge } = given;
    if (location !== undefined && isOnEarth(location)) return given;
    if (location !== undefined) {
      const { latitude, longitude } = location;
      notes.push({ file, message: `${edge.id}: ${latitude}, ${longitude} is nowhere; not carried over` });
    }
    const [guess] = (edge.addresses ?? []).flatMap((address) => locate(address) ?? []);
    if (guess === undefined) {
      notes.push({
        file,
        message: `${edge.id}: where it is is not known; write its location instead of 0, 0`,
      });
      return edge;
    }
    const { latitude, longitude, words } = guess;
    notes.push({ file, message: `${edge.id}: its location is GeoIP's guess (${words}); correct it` });
    return { ...edge, location: { latitude, longitude } };
  });
  return { ...draft, edges, notes };
}
