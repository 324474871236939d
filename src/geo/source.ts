import { watchFiles } from "../base/watch.ts";
import type { Log } from "../model/log.ts";
import type { Database } from "./locator.ts";
import { type ReadFlaw, readShared } from "./read.ts";
import { startSurvey, type Survey } from "./survey.ts";
import { type DatabaseRole, type RefusalReason, validate } from "./validate.ts";

/** What a source needs of its surroundings. */
export interface SourceContext {
  readonly log: Log;
  /** Wall clock, milliseconds since 1970. */
  readonly now: () => number;
  readonly pollMs: number;
  /** One reading at a time, so that no more than one database is in memory twice. */
  readonly inTurn: (task: () => Promise<void>) => Promise<void>;
  /** A database was taken. */
  readonly taken: (source: DatabaseSource) => void;
  /** A file was refused; what was there before stays. */
  readonly refused: (source: DatabaseSource, reason: ReadFlaw | RefusalReason) => void;
}

/** Why a file was refused: a stable code, and what is known of it in words. */
export interface DatabaseFlaw {
  readonly reason: ReadFlaw | RefusalReason;
  readonly detail: string;
}

/** One configured file: read, validated, watched, and replaced whole when a sound one takes its place. */
export class DatabaseSource {
  readonly path: string;
  readonly role: DatabaseRole;
  readonly #context: SourceContext;
  readonly #stopWatching: () => void;
  #current: Database | undefined;
  #flaw: DatabaseFlaw | undefined;
  #survey: Survey | undefined;
  #stopped = false;

  constructor(path: string, role: DatabaseRole, context: SourceContext) {
    this.path = path;
    this.role = role;
    this.#context = context;
    // Watching begins first: what changes during the first reading is read again.
    this.#stopWatching = watchFiles(
      () => Promise.resolve([path]),
      () => void this.load(),
      context.pollMs,
    );
  }

  /** The last sound database; absent until there was one. */
  get current(): Database | undefined {
    return this.#current;
  }

  /** Of the file as it was last read; absent where it was sound. */
  get flaw(): DatabaseFlaw | undefined {
    return this.#flaw;
  }

  load(): Promise<void> {
    return this.#context.inTurn(async () => {
      if (!this.#stopped) await this.#readAndJudge();
    });
  }

  stop(): void {
    this.#stopped = true;
    this.#survey?.stop();
    this.#stopWatching();
  }

  async #readAndJudge(): Promise<void> {
    const read = await readShared(this.path);
    if (read.kind === "refused") return this.#refuse(read);
    const verdict = await validate(read.bytes, this.role, this.#context.now());
    if (verdict.kind === "refused") return this.#refuse(verdict);
    if (this.#stopped) return;
    this.#flaw = undefined;
    const { db, databaseKind: kind } = verdict;
    this.#warnIfShrunk(db.metadata.nodeCount);
    this.#current = { id: nextId++, path: this.path, role: this.role, kind, db };
    this.#logTaken(this.#current);
    this.#context.taken(this);
    const taken = this.#current;
    void this.#context.inTurn(() => this.#surveyFor(taken));
  }

  /** Behind the scenes: it serves meanwhile. */
  async #surveyFor(database: Database): Promise<void> {
    const isWanted = (): boolean => !this.#stopped && this.#current === database;
    if (database.role !== "city" || !isWanted()) return;
    this.#survey = startSurvey(database.db);
    const regions = await this.#survey.regions;
    if (regions === undefined || !isWanted()) return;
    this.#current = { ...database, regions };
    this.#context.taken(this);
  }

  #refuse({ reason, detail }: DatabaseFlaw): void {
    if (this.#stopped) return;
    this.#flaw = { reason, detail };
    const fields = { file: this.path, reason, detail, inUse: this.#current !== undefined };
    if (this.#current === undefined)
      this.#context.log.error(fields, "GeoIP database refused; viewers are located without it");
    else this.#context.log.error(fields, "GeoIP database refused; the one in use stays");
    this.#context.refused(this, reason);
  }

  #logTaken({ kind, db }: Database): void {
    const { builtAtMs, type, nodeCount } = db.metadata;
    const fields = { file: this.path, kind, type, nodeCount, builtAt: new Date(builtAtMs).toISOString() };
    if (this.#context.now() - builtAtMs > OLD_AFTER_MS)
      this.#context.log.warn(fields, "GeoIP database taken, but it is more than a year old");
    else this.#context.log.info(fields, "GeoIP database taken");
  }

  #warnIfShrunk(nodeCount: number): void {
    const before = this.#current?.db.metadata.nodeCount ?? 0;
    if (nodeCount * 2 < before)
      this.#context.log.warn(
        { file: this.path, nodeCount, before },
        "GeoIP database is less than half as large as the one before",
      );
  }
}

const OLD_AFTER_MS = 366 * 86_400_000;
let nextId = 1;
