import {
  type Draft,
  type DraftEdge,
  notesOn,
  type Note,
  type Original,
  type Refused,
  refused,
} from "./draft.ts";
import { createIds, type Host, isPlainText, nameNote, portProbe, readHost } from "./host.ts";

/**
 * The servers of MistServer's balancer: what it answers to `/?lstserver=1` (with bandwidths) and to `/` (with places
 * and tags), what it answers to `/?weights=`, or its settings with `server` in them. Several files are put together.
 */
export function importMistServer(originals: readonly Original[]): Draft | Refused {
  const servers = new Map<string, Server>();
  const notes: Note[] = [];
  let isGeographic = false;
  for (const original of originals) {
    const found = readFile(original);
    if ("kind" in found) return found;
    notes.push(...found.notes);
    isGeographic ||= found.isGeographic;
    for (const server of found.servers) {
      const { text } = server.host;
      servers.set(text, { ...servers.get(text), ...server });
    }
  }
  if (servers.size === 0) return refused(originals[0] ?? { file: "-", text: "" }, "no server is in it");
  const idOf = createIds();
  const { notes: common, note } = notesOn(originals[0] ?? { file: "-", text: "" });
  note(
    "the passphrase of the controllers: MIST_PASSPHRASE in the environment, else MistServer's own default",
  );
  note("url: MistServer's usual port 8080; viewers of the redirect go there");
  const edges = [...servers.values()].map((server) => edgeOf(server, idOf(server.host.text)));
  const places = edges.filter(({ location }) => location !== undefined).length;
  const rank = isGeographic || places > 0 ? "nearest" : "least-loaded";
  return { edges, services: [{ id: "live", rank }], notes: withoutRepeats([...notes, ...common]) };
}

/** Files that tell of the same servers say the same of them. */
function withoutRepeats(notes: readonly Note[]): Note[] {
  const said = new Set<string>();
  return notes.filter(({ message }) => {
    const isNew = !said.has(message);
    said.add(message);
    return isNew;
  });
}

interface Server {
  readonly host: Host;
  readonly controller?: string;
  /** MiB per second. */
  readonly limit?: number;
  readonly location?: { readonly latitude: number; readonly longitude: number };
  readonly tags?: readonly string[];
}

interface Found {
  readonly servers: readonly Server[];
  readonly notes: readonly Note[];
  readonly isGeographic: boolean;
}

function edgeOf({ host, controller, limit, location, tags = [] }: Server, id: string): DraftEdge {
  const words = tags.filter((tag) => tag !== "" && isPlainText(tag));
  return {
    id,
    ...(location === undefined ? {} : { location }),
    ...(host.address === undefined ? {} : { addresses: [host.address] }),
    url: `http://${host.text}:8080`,
    ...(words.length === 0 ? {} : { tags: words }),
    ...(limit === undefined ? {} : { capacity: { bandwidth: `${mbps(limit)}Mbps` } }),
    probe: portProbe(host, 8080),
    load: {
      type: "mistserver",
      url: controller ?? `http://${host.text}:4242`,
      passphrase: "${MIST_PASSPHRASE:-koekjes}",
    },
  };
}

function mbps(mebibytes: number): number {
  return Math.round(mebibytes * 8 * 1.048_576 * 1000) / 1000;
}

function readFile(original: Original): Found | Refused {
  let document: unknown;
  try {
    document = JSON.parse(original.text);
  } catch {
    return refused(original, "not JSON; give what the balancer answers to /?lstserver=1 or to /");
  }
  const { notes, note } = notesOn(original);
  if (isWeights(document)) {
    note("weights: here distance and price decide; only whether geo counted is carried over");
    return { servers: [], notes, isGeographic: Number(document["geo"]) > 0 };
  }
  const entries = settingsIn(document) ?? (isRecord(document) ? Object.entries(document) : []);
  const servers = entries.flatMap(([name, state]): Server[] => {
    const server = readServer(name);
    const line = lineOf(original.text, name);
    if (server === undefined) {
      note(`${JSON.stringify(name).slice(0, 80)} is no server; left out`, line);
      return [];
    }
    if (server.host.address === undefined) note(nameNote(server.host), line);
    if (typeof state === "string" && !/online|^$/i.test(state))
      note(`${name} was not online: ${state}`, line);
    return [{ ...server, ...placeAndTags(state) }];
  });
  return { servers, notes, isGeographic: false };
}

/** The line of a name in quotes, as JSON has it. */
function lineOf(text: string, name: string): number | undefined {
  const index = text.indexOf(JSON.stringify(name));
  return index < 0 ? undefined : text.slice(0, index).split("\n").length;
}

/** `host[:port][/MiBps]`, or a URL of the controller. */
function readServer(name: string): Server | undefined {
  const match =
    /^(?:(https?):\/\/)?(\[[\da-fA-F:.]+\]|[^:/\s[\]]+)(?::(\d{1,5}))?(?:\/(\d+(?:\.\d+)?)?)?$/.exec(name);
  const [, scheme, hostText = "", port, limit] = match ?? [];
  const host = readHost(hostText);
  if (host === undefined || (port !== undefined && !(Number(port) >= 1 && Number(port) <= 65_535)))
    return undefined;
  const given = scheme !== undefined || port !== undefined;
  const usual = scheme === undefined ? ":4242" : "";
  return {
    host,
    ...(given
      ? { controller: `${scheme ?? "http"}://${host.text}${port === undefined ? usual : `:${port}`}` }
      : {}),
    ...(limit === undefined ? {} : { limit: Number(limit) }),
  };
}

function placeAndTags(state: unknown): Partial<Server> {
  if (!isRecord(state)) return {};
  const { geo, tags } = state;
  const [latitude, longitude] = isRecord(geo) ? [geo["lat"], geo["lon"]] : [];
  return {
    // 0, 0 is how it says that it does not know.
    ...(typeof latitude === "number" && typeof longitude === "number" && (latitude !== 0 || longitude !== 0)
      ? { location: { latitude, longitude } }
      : {}),
    ...(Array.isArray(tags) ? { tags: tags.filter((tag) => typeof tag === "string") } : {}),
  };
}

/** Options of the balancer, wherever they stand in the controller's settings. */
function settingsIn(document: unknown): [string, unknown][] | undefined {
  if (Array.isArray(document) && document.every((name) => typeof name === "string"))
    return document.map((name) => [name, ""]);
  if (typeof document !== "object" || document === null) return undefined;
  if (isRecord(document) && (typeof document["server"] === "string" || Array.isArray(document["server"])))
    return [document["server"]].flat().map((name) => [String(name), ""]);
  for (const member of Object.values(document) as unknown[]) {
    if (isRecord(member) || (Array.isArray(member) && member.some(isRecord))) {
      const found = settingsIn(member);
      if (found !== undefined) return found;
    }
  }
  return undefined;
}

function isWeights(document: unknown): document is Record<string, unknown> {
  return isRecord(document) && ["bw", "cpu", "geo", "ram"].every((key) => typeof document[key] === "number");
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
