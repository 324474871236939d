import { lookup as systemLookup, Resolver } from "node:dns/promises";
import { type Clock, systemClock } from "./clock.ts";

/** Textual addresses of a name; rejects when there are none. */
export type Lookup = (hostname: string) => Promise<readonly string[]>;

export interface LookupsOptions {
  readonly lookup?: Lookup;
  /** As `lookup`, without one of its threads, for who waits long for them. */
  readonly ask?: Lookup;
  readonly clock?: Clock;
  /** How many may run at once, at least 2. */
  readonly slots?: number;
}

/** A look-up that takes longer is that of a name whose servers are silent. */
const QUICK_MS = 1000;
/** Whoever waits longer for a name takes what it was last. */
const PATIENCE_MS = 200;
/** For so long after it was looked up. */
const KEPT_MS = 60_000;

interface Name {
  /** What it was last. */
  addresses?: readonly string[];
  atMs: number;
  /** The last look-up was quick, or there was none. */
  isQuick: boolean;
  running?: Promise<readonly string[]>;
}

interface Waiting {
  readonly name: Name;
  readonly start: () => void;
}

/**
 * Look-ups of names that do not hold each other up. Each takes one of libuv's few threads for name resolution, for
 * ten seconds where a name's servers are silent: names that were not quick the last time leave one of them to the
 * others. Where that is not known yet, as after a start, who waits for long is looked up without a thread, if DNS knows
 * the name. Meanwhile a name is what it was last, and so it is while the resolver fails.
 */
export function createLookups(options: LookupsOptions = {}): Lookup {
  const { lookup = lookupAll, ask = askServers, clock = systemClock, slots = threadsForNames() } = options;
  const names = new Map<string, Name>();
  const queue: Waiting[] = [];
  let [running, slowRunning] = [0, 0];

  const startNext = (): void => {
    const next = queue.findIndex(({ name }) => name.isQuick || slowRunning < slots - 1);
    if (next < 0 || running >= slots) return;
    queue.splice(next, 1)[0]?.start();
  };

  const run = async (hostname: string, name: Name): Promise<readonly string[]> => {
    const wasSlow = !name.isQuick;
    running++;
    if (wasSlow) slowRunning++;
    const startedMs = clock.monotonicMs();
    try {
      const addresses = await lookup(hostname);
      [name.addresses, name.atMs] = [addresses, clock.monotonicMs()];
      return addresses;
    } finally {
      name.isQuick = clock.monotonicMs() - startedMs < QUICK_MS;
      delete name.running;
      running--;
      if (wasSlow) slowRunning--;
      startNext();
    }
  };

  /** Whether it was still waiting. */
  const leave = (waiting: Waiting): boolean => {
    const at = queue.indexOf(waiting);
    if (at >= 0) queue.splice(at, 1);
    return at >= 0;
  };

  const inTurn = (hostname: string, name: Name): Promise<readonly string[]> =>
    new Promise((resolve) => {
      const askNow = async (): Promise<void> => {
        const addresses = await ask(hostname).catch(() => NOBODY);
        if (addresses.length === 0 || !leave(waiting)) return;
        [name.addresses, name.atMs] = [addresses, clock.monotonicMs()];
        delete name.running;
        resolve(addresses);
      };
      const cancel = clock.after(QUICK_MS, () => void askNow());
      const start = (): void => {
        cancel();
        resolve(run(hostname, name));
      };
      const waiting: Waiting = { name, start };
      queue.push(waiting);
      startNext();
    });

  return (hostname) => {
    const name = names.get(hostname) ?? { atMs: Number.NEGATIVE_INFINITY, isQuick: true };
    names.set(hostname, name);
    name.running ??= inTurn(hostname, name);
    const { addresses, atMs } = name;
    if (addresses === undefined || clock.monotonicMs() - atMs > KEPT_MS) return name.running;
    return firstOf(name.running, addresses, clock);
  };
}

/** What comes, or what was known before: after a while, and where the resolver has troubles of its own. */
function firstOf(
  coming: Promise<readonly string[]>,
  known: readonly string[],
  clock: Clock,
): Promise<readonly string[]> {
  return new Promise((resolve, reject) => {
    const cancel = clock.after(PATIENCE_MS, () => resolve(known));
    const settle = (error: NodeJS.ErrnoException): void =>
      error.code === TROUBLE ? resolve(known) : reject(error);
    coming.then(resolve, settle).finally(cancel);
  });
}

/** No answer from it, or one that its own look-up failed: not that there is no such name. */
const TROUBLE = "EAI_AGAIN";

/** libuv lets names take half of its threads, rounded up. */
function threadsForNames(): number {
  const threads = Number(process.env["UV_THREADPOOL_SIZE"] ?? 4);
  return Math.max(2, Math.floor(((threads > 0 ? threads : 4) + 1) / 2));
}

const NOBODY: readonly string[] = [];

/** By DNS alone: what only the system's files know is not found. */
async function askServers(hostname: string): Promise<readonly string[]> {
  const resolver = new Resolver({ timeout: QUICK_MS, tries: 2 });
  const both = await Promise.allSettled([resolver.resolve4(hostname), resolver.resolve6(hostname)]);
  return both.flatMap((found) => (found.status === "fulfilled" ? found.value : []));
}

async function lookupAll(hostname: string): Promise<readonly string[]> {
  const found = await systemLookup(hostname, { all: true });
  return found.map(({ address }) => address);
}
