// npm run bench -- scopes
import { openGeo } from "../dist/geo/geo.js";
import { createRedirector } from "../dist/engine/redirector.js";
import { CACHED_SUBNETS, entriesFor } from "./dns/cache-entries.mjs";
import { publish } from "./lib/publish.mjs";
import { SITES } from "./lib/sites.mjs";

const HOSTNAME = "live.cdn.example.net";
/** So many are asked in a second of the engine's clock. */
const ASKED_PER_SECOND = 50;
const silent = { info() {}, warn: console.warn, error: console.error };

const geo = await openGeo({ files: { city: [], asn: [] }, places: [], log: silent });
while (!geo.snapshot().city.every(({ regions }) => regions !== undefined))
  await new Promise((resolve) => setTimeout(resolve, 100));

const rows = [
  rowFor("8 sites", SITES, 1),
  rowFor("8 sites", SITES, 2),
  rowFor("Amsterdam, New York", SITES.slice(0, 2), 1),
  rowFor(
    "New York, São Paulo",
    SITES.slice(1, 4).filter((_, i) => i !== 1),
    1,
  ),
];
publish({
  bench: "scopes",
  question: `How many entries does a caching resolver hold for ${CACHED_SUBNETS.toLocaleString("en-US")} random /24s?`,
  tables: [
    {
      title:
        "By the scopes of the answers: of the records, when asked for the first time, asked again, and as explain says",
      columns: ["sites", "edges answered", "records", "first time", "again", "explain"],
      rows,
    },
  ],
});
geo.stop();

/** @param {string} name @param {typeof SITES} sites @param {number} answers */
function rowFor(name, sites, answers) {
  const { inventory, world } = configured(sites, answers);
  let nowMs = 0;
  const engine = (/** @type {boolean} */ widens) => {
    const widen = widens ? geo.widen : undefined;
    const redirector = createRedirector(geo.locate, { monotonicMs: () => nowMs, widen });
    redirector.take(inventory, world);
    return redirector;
  };
  const plain = engine(false);
  const widening = engine(true);
  const held = (/** @type {(question: any) => any} */ ask) =>
    entriesFor((subnet) => {
      nowMs += 1000 / ASKED_PER_SECOND;
      const address = { family: 4, bytes: Uint8Array.of(...subnet, 0) };
      return ask({ hostname: HOSTNAME, client: { address, prefixLength: 24, from: "client-subnet" } })
        .scopePrefixLength;
    });
  return [
    name,
    String(answers),
    held((question) => plain.decide(question, "dns")),
    held((question) => widening.decide(question, "dns")),
    held((question) => widening.decide(question, "dns")),
    held((question) => widening.explain(question, { reject() {} })),
  ];
}

/** @param {typeof SITES} sites @param {number} answers */
function configured(sites, answers) {
  const edges = sites.map(({ id, latitude, longitude }, index) => ({
    id,
    index,
    location: { latitude, longitude },
    addresses: [{ family: 4, bytes: Uint8Array.of(192, 0, 2, index) }],
    tags: [],
    capacity: {},
    weight: 1,
  }));
  const service = {
    id: "live",
    index: 0,
    hostnames: [HOSTNAME],
    edges: edges.map(({ index }) => index),
    rank: "nearest",
    affinity: "none",
    dns: { ttlSeconds: 20, ttlInDoubtSeconds: 5, answers },
    maxDistanceKm: Number.POSITIVE_INFINITY,
    margin: 0,
    whenFull: "spill",
    whenDown: "fail-open",
  };
  const n = edges.length;
  const world = {
    generation: 1,
    up: new Uint8Array(n).fill(1),
    state: new Uint8Array(n),
    unsteady: new Uint8Array(n),
    loadRatio: new Float64Array(n).fill(Number.NaN),
    priceKm: new Float64Array(n),
    perViewer: new Float64Array(n),
    limit: new Float64Array(n).fill(1),
    staleStreams: new Map(),
    sent: {
      counts: new Int32Array(2 * n),
      before: new Int32Array(2 * n),
      slot: Uint16Array.from(edges, ({ index }) => index),
      viewersPerAnswer: new Float32Array(n),
    },
  };
  return { inventory: /** @type {any} */ ({ generation: 1, edges, services: [service], dns: {} }), world };
}
