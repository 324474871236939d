import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename } from "node:path";
import { fileURLToPath } from "node:url";
import { LineCounter, parseDocument } from "yaml";
import { z } from "zod";
import { PLACES } from "../lib/places.mjs";
import { CITIES } from "./cities.mjs";

/** @typedef {import("./types.ts").Scenario} Scenario */

const FOLDER = fileURLToPath(new URL("scenarios/", import.meta.url));

/** The scenarios that come with the simulator. */
export const SCENARIO_NAMES = readdirSync(FOLDER)
  .filter((file) => file.endsWith(".yaml"))
  .map((file) => basename(file, ".yaml"));

/**
 * @param {string} nameOrFile one of `SCENARIO_NAMES`, or the path of a file
 * @param {string} [changes] as `parseScenario`
 * @returns {Scenario | {problems: string[]}}
 */
export function readScenario(nameOrFile, changes) {
  const file = SCENARIO_NAMES.includes(nameOrFile) ? `${FOLDER}${nameOrFile}.yaml` : nameOrFile;
  if (!existsSync(file))
    return { problems: [`${nameOrFile}: neither a file nor one of ${SCENARIO_NAMES.join(", ")}`] };
  return parseScenario(readFileSync(file, "utf8"), file, changes);
}

/**
 * Every problem is a line `FILE:LINE:COLUMN: PATH: what is wrong, and what would be right`.
 * @param {string} text
 * @param {string} file for messages; its base name is the scenario's
 * @param {string} [changes] YAML: what it has is in place of the file's, of an object key by key
 * @returns {Scenario | {problems: string[]}}
 */
export function parseScenario(text, file, changes = "") {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines });
  /** @param {number} offset @param {readonly PropertyKey[]} path @param {string} message */
  const problem = (offset, path, message) => {
    const { line, col } = lines.linePos(offset);
    return `${file}:${line}:${col}: ${path.length > 0 ? `${path.join(".")}: ` : ""}${message}`;
  };
  if (document.errors.length > 0)
    return { problems: document.errors.map((e) => problem(e.pos[0], [], e.message.split("\n")[0])) };
  const other = parseDocument(changes);
  if (other.errors.length > 0) return { problems: other.errors.map((e) => `${changes}: ${e.message}`) };
  const parsed = FILE.safeParse(changed(document.toJS(), other.toJS()));
  if (!parsed.success)
    return {
      problems: parsed.error.issues.map((issue) =>
        problem(offsetOf(document, pathOf(issue)), pathOf(issue), messageOf(issue)),
      ),
    };
  return normalised(parsed.data, basename(file).replace(/\.ya?ml$/, ""));
}

/** Of two objects the keys of both, in the same way; of others the change, unless it is null. */
function changed(value, change) {
  if (change === null) return value;
  if (!isObject(value) || !isObject(change)) return change;
  const parts = Object.entries(change).map(([key, part]) => [key, changed(value[key] ?? {}, part)]);
  return { ...value, ...Object.fromEntries(parts) };
}

/** @param {unknown} value */
function isObject(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

const UNITS_MS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

const duration = z.string("a duration such as 90s, 5m or 2h is wanted").transform((text, context) => {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/.exec(text);
  if (match) return Number(match[1]) * UNITS_MS[match[2]];
  context.addIssue(`"${text}" is not a duration; right would be 90s, 5m or 2h`);
  return z.NEVER;
});
const positiveDuration = duration.refine((ms) => ms > 0, "must be longer than 0s");
const share = z.number().min(0, "a share is 0 to 1").max(1, "a share is 0 to 1");

/** @param {z.ZodType<number>} value */
const timelineOf = (value) =>
  z
    .array(z.tuple([duration, value], "a point is [time, value], such as [30m, 3]"))
    .min(1, "at least one point [time, value] is wanted")
    .superRefine((points, context) => {
      points.forEach(([atMs], i) => {
        if (i > 0 && atMs <= points[i - 1][0])
          context.addIssue({ code: "custom", path: [i], message: "points must come in order of time" });
      });
    });

/** @type {Set<string | undefined>} */
const CONTINENTS = new Set(CITIES.map((city) => city.location.continent));
/** @type {Set<string | undefined>} */
const COUNTRIES = new Set(CITIES.map((city) => city.location.country));

const PLACE_NAMES = Object.keys(PLACES).join(", ");

/**
 * Where an edge stands whose file does not say it: at the place that its id begins with, as in ams1.
 * @param {string} id
 */
function placeOf(id) {
  return new Map(Object.entries(PLACES)).get(id.replace(/\d*$/, ""));
}

const region = z.strictObject({
  continents: z
    .array(
      z
        .string()
        .refine(
          (code) => CONTINENTS.has(code),
          "no city lies there; right would be EU, AS, NA, SA, AF or OC",
        ),
    )
    .default([]),
  countries: z
    .array(
      z
        .string()
        .refine(
          (code) => COUNTRIES.has(code),
          "no city lies there; right would be a code such as DE (ISO 3166-1)",
        ),
    )
    .default([]),
  timeline: timelineOf(z.number().min(0, "a multiplier is 0 or more")),
});

const fault = z
  .strictObject({
    edge: z.string(),
    kind: z.enum(["down", "silent", "lying"]),
    from: duration,
    until: duration,
    factor: z.number().default(1),
  })
  .refine((f) => f.until > f.from, { message: "must be later than from", path: ["until"] });

const FILE = z
  .strictObject({
    about: z.string(),
    seed: z.int().default(1),
    duration: positiveDuration,
    edges: z
      .array(
        z
          .strictObject({
            id: z.string().min(1),
            location: z
              .strictObject({
                latitude: z.number().min(-90, "a latitude is -90 to 90").max(90, "a latitude is -90 to 90"),
                longitude: z
                  .number()
                  .min(-180, "a longitude is -180 to 180")
                  .max(180, "a longitude is -180 to 180"),
              })
              .optional(),
            capacity: z.number().min(0, "viewers, 0 or more"),
          })
          .transform(({ id, location, capacity }, context) => {
            const place = location ?? placeOf(id);
            if (place !== undefined) return { id, location: place, capacity };
            context.addIssue(`location is missing, and ${id} does not begin with one of ${PLACE_NAMES}`);
            return z.NEVER;
          }),
      )
      .min(1, "at least one edge is wanted"),
    demand: z
      .strictObject({
        viewers: z.number().positive().optional(),
        ofCapacity: z.number().positive().optional(),
        arrivalsPerSecond: z.number().positive().optional(),
        regions: z.array(region).default([]),
      })
      .refine(
        (d) =>
          [d.viewers, d.ofCapacity, d.arrivalsPerSecond].filter((given) => given !== undefined).length === 1,
        "exactly one of viewers, ofCapacity and arrivalsPerSecond is wanted",
      ),
    stays: z
      .strictObject({ shortest: positiveDuration, longest: positiveDuration })
      .refine((s) => s.longest >= s.shortest, {
        message: "must not be shorter than shortest",
        path: ["longest"],
      })
      .prefault({ shortest: "5m", longest: "90m" }),
    networks: z.int().min(1).max(1_000_000).default(2000),
    dns: z
      .strictObject({
        share: share.default(0.5),
        ttl: positiveDuration.prefault("30s"),
        clientSubnet: share.default(0.2),
        resolverRadiusKm: z.number().min(0).default(500),
      })
      .prefault({}),
    streams: z
      .strictObject({
        count: z.int().min(1).max(60_000).default(200),
        exponent: z.number().min(0).default(1),
        hot: timelineOf(share).default([[0, 0]]),
      })
      .prefault({}),
    affinity: z.enum(["none", "stream", "viewer"]).default("none"),
    bitsPerViewer: z.number().positive().default(4_000_000),
    reports: z
      .strictObject({
        every: positiveDuration.prefault("5s"),
        age: duration.prefault("10s"),
        jitter: duration.prefault("1s"),
      })
      .prefault({}),
    steering: z.strictObject({ share: share.default(0), ttl: positiveDuration.prefault("60s") }).prefault({}),
    failover: z
      .strictObject({
        noticedAfter: duration.prefault("5s"),
        retryWithin: positiveDuration.prefault("12s"),
      })
      .prefault({}),
    faults: z.array(fault).default([]),
  })
  .superRefine((file, context) => {
    const ids = file.edges.map((edge) => edge.id);
    ids.forEach((id, i) => {
      if (ids.indexOf(id) < i)
        context.addIssue({ code: "custom", path: ["edges", i, "id"], message: `${id} is there already` });
    });
    file.faults.forEach(({ edge }, i) => {
      if (!ids.includes(edge))
        context.addIssue({
          code: "custom",
          path: ["faults", i, "edge"],
          message: `no edge is called ${edge}`,
        });
    });
  });

/** @param {z.core.$ZodIssue} issue */
function pathOf(issue) {
  return issue.code === "unrecognized_keys" ? [...issue.path, issue.keys[0]] : issue.path;
}

/** @param {z.core.$ZodIssue} issue */
function messageOf(issue) {
  if (issue.code === "unrecognized_keys") return "no such key";
  if (issue.code === "invalid_type" && issue.input === undefined && /received undefined/.test(issue.message))
    return `is missing; ${issue.expected} is wanted`;
  return issue.message;
}

/**
 * Where the value of a path begins, or for a missing one its parent's.
 * @param {import("yaml").Document} document
 * @param {readonly PropertyKey[]} path
 * @returns {number}
 */
function offsetOf(document, path) {
  for (let length = path.length; length >= 0; length--) {
    /** @type {any} */
    const node = length === 0 ? document.contents : document.getIn(path.slice(0, length), true);
    if (node?.range) return node.range[0];
  }
  return 0;
}

/**
 * @param {z.output<typeof FILE>} file
 * @param {string} name
 * @returns {Scenario}
 */
function normalised(file, name) {
  const { demand, stays, dns, reports, steering, failover } = file;
  const capacity = file.edges.reduce((sum, edge) => sum + edge.capacity, 0);
  const meanStaySeconds = (stays.shortest + stays.longest) / 2 / 1000;
  return {
    name,
    about: file.about,
    seed: file.seed,
    durationMs: file.duration,
    edges: file.edges.map(({ id, location, capacity }) => ({ id, ...location, capacity })),
    demand: {
      viewers:
        demand.viewers ??
        (demand.arrivalsPerSecond ?? 0) * meanStaySeconds + (demand.ofCapacity ?? 0) * capacity,
      regions: demand.regions,
    },
    stays: { shortestMs: stays.shortest, longestMs: stays.longest },
    networks: file.networks,
    dns: {
      share: dns.share,
      ttlMs: dns.ttl,
      clientSubnet: dns.clientSubnet,
      resolverRadiusKm: dns.resolverRadiusKm,
    },
    streams: file.streams,
    affinity: file.affinity,
    bitsPerViewer: file.bitsPerViewer,
    reports: { everyMs: reports.every, ageMs: reports.age, jitterMs: reports.jitter },
    steering: { share: steering.share, ttlMs: steering.ttl },
    failover: { noticedAfterMs: failover.noticedAfter, retryWithinMs: failover.retryWithin },
    faults: file.faults.map(({ kind, edge, from, until, factor }) => ({
      kind,
      edge: file.edges.findIndex(({ id }) => id === edge),
      fromMs: from,
      untilMs: until,
      factor,
    })),
  };
}
