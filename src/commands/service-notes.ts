/** What edges and services may say, and rarely mean: `check` notes it. */
import { formatAddress } from "../base/address.ts";
import { formatDuration } from "../config/units.ts";
import type { Edge, LoadSource } from "../model/edge.ts";
import type { Inventory } from "../model/inventory.ts";
import type { Note } from "../model/problem.ts";
import type { Service } from "../model/service.ts";
import { unreachableAt } from "../selection/at-door.ts";

export function serviceNotes(inventory: Inventory): Note[] {
  return [
    ...trustNotes(inventory),
    ...edgeNotes(inventory),
    ...inventory.services.flatMap((service) => [
      ...affinityNotes(service),
      ...templateNotes(service),
      ...doorNotes(service, inventory),
      ...fallbackNotes(service, inventory),
    ]),
  ];
}

function trustNotes({ trustedProxies }: Inventory): Note[] {
  return trustedProxies.flatMap(({ length }, i) =>
    length === 0
      ? [
          {
            path: ["trustedProxies", i],
            message: "believes everybody: whoever asks says where he is, and passes allow and deny",
          },
        ]
      : [],
  );
}

function edgeNotes({ edges, services }: Inventory): Note[] {
  const used = new Set(services.flatMap((service) => service.edges));
  const owners = new Map<string, string>();
  return edges.flatMap((edge) => {
    const note = (key: string, message: string): Note => ({ path: ["edges", edge.id, key], message });
    const { latitude, longitude } = edge.location;
    const shared = placesOf(edge).flatMap(([key, text]) => {
      const owner = owners.get(text);
      if (owner === undefined) owners.set(text, edge.id);
      return owner === undefined || owner === edge.id ? [] : [note(key, `${text} is that of ${owner} too`)];
    });
    return [
      ...(used.has(edge.index) ? [] : [{ path: ["edges", edge.id], message: "no service has this edge" }]),
      ...(latitude === 0 && longitude === 0
        ? [note("location", "0, 0 is in the sea off Africa; write where the edge stands")]
        : []),
      ...shared,
      ...loadNotes(edge).map((message) => note("load", message)),
      ...(edge.load.some(hasBareVariable)
        ? [note("load", "has a secret that is a $ and a name, and stays so; variables are written ${NAME}")]
        : []),
    ];
  });
}

/** As shells write variables, where none is put in. */
function hasBareVariable(source: LoadSource): boolean {
  return Object.entries(source).some(([key, value]) => SECRETS.has(key) && /^\$\w+$/.test(String(value)));
}

const SECRETS: ReadonlySet<string> = new Set(["token", "passphrase", "password"]);

/** By how much of its interval a reading may come late. */
const LATENESS = 0.05;

/** Load that is unknown between two readings lets an edge look as if it had room, again and again. */
function loadNotes({ load }: Edge): string[] {
  return load.flatMap((source) => {
    if (source.type === "push") return [];
    const { type, intervalMs, timeoutMs, staleAfterMs } = source;
    if (staleAfterMs >= intervalMs * (1 + LATENESS) + timeoutMs) return [];
    const wanted = formatDuration(Math.ceil(2 * intervalMs + timeoutMs));
    return [
      `${type}: a reading that comes a little late is unknown until it is there; give staleAfter ${wanted} or more`,
    ];
  });
}

function placesOf({ addresses, url }: Edge): [key: string, text: string][] {
  return [
    ...addresses.map((address): [string, string] => ["addresses", formatAddress(address)]),
    ...(url === undefined ? [] : [["url", url] satisfies [string, string]]),
  ];
}

function affinityNotes({ id, affinity, rank }: Service): Note[] {
  return affinity === "none" || rank === "nearest"
    ? []
    : [
        {
          path: ["services", id, "affinity"],
          message: `has no effect with rank: ${rank}; it counts for rank: nearest alone`,
        },
      ];
}

function templateNotes({ id, http }: Service): Note[] {
  const templates = (http.templates ?? []).map(({ url }, i) => ({ url, path: ["templates", i, "url"] }));
  return [{ url: http.url, path: ["url"] }, ...templates].flatMap(({ url, path }) =>
    url.includes("{path}")
      ? []
      : [
          {
            path: ["services", id, "http", ...path],
            message: "sends everybody to one address: it has no {path}",
          },
        ],
  );
}

/** What the fallback answers at neither door, though it is to answer. */
function fallbackNotes({ id, fallback, whenDown }: Service, { listen }: Inventory): Note[] {
  if (whenDown !== "fallback" || fallback === undefined) return [];
  const note = (message: string): Note => ({ path: ["services", id, "fallback"], message });
  return [
    ...(listen.dns.length > 0 && fallback.addresses.length === 0
      ? [note("has no addresses, so that DNS names nobody when all edges are down")]
      : []),
    ...(listen.http.length > 0 && fallback.url === undefined
      ? [note("has no url, so that HTTP redirects to nobody when all edges are down")]
      : []),
  ];
}

/** Some edges of the service can be named at a door and others cannot. */
function doorNotes(service: Service, { edges, listen }: Inventory): Note[] {
  const without = (door: "dns" | "http"): string[] => {
    const its = service.edges.map((index) => edges[index] as Edge);
    const ids = its.filter((edge) => unreachableAt(service, edge, door) !== undefined).map((edge) => edge.id);
    return ids.length < its.length ? ids : [];
  };
  const note = (ids: readonly string[], door: string, what: string): Note[] =>
    ids.length === 0
      ? []
      : [
          {
            path: ["services", service.id],
            message: `${door} sends nobody to ${some(ids)}, for want of ${what}`,
          },
        ];
  return [
    ...(listen.dns.length === 0 ? [] : note(without("dns"), "DNS", "addresses")),
    ...(listen.http.length === 0 ? [] : note(without("http"), "HTTP", "a url")),
  ];
}

const SHOWN = 5;

export function some(ids: readonly string[]): string {
  const more = ids.length - SHOWN;
  return ids.slice(0, SHOWN).join(", ") + (more > 0 ? ` and ${more} more` : "");
}
