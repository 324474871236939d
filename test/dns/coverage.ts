import { Session } from "node:inspector";

/** Which of the code below a folder has run, block by block, as V8 counts it. */
export interface Coverage {
  /** What ran since the last call. */
  take(): Taken;
  /** Characters of code that have run, of those that a function which has run holds. */
  readonly characters: { readonly run: number; readonly known: number };
  stop(): void;
}

export interface Taken {
  /** Whether anything did that is not noted. */
  readonly isNew: boolean;
  note(): void;
}

interface Range {
  readonly startOffset: number;
  readonly endOffset: number;
  readonly count: number;
}

interface ScriptCoverage {
  readonly url: string;
  readonly functions: readonly { readonly ranges: readonly Range[] }[];
}

/** @param folder a part of the paths of scripts */
export function startCoverage(folder: string): Coverage {
  const session = new Session();
  const seen = new Map<string, Uint8Array>();
  session.connect();
  session.post("Profiler.enable");
  session.post("Profiler.startPreciseCoverage", { callCount: true, detailed: true });

  const take = (): readonly ScriptCoverage[] => {
    let scripts: readonly ScriptCoverage[] = [];
    // Within a thread the answer comes before the call returns.
    session.post("Profiler.takePreciseCoverage", (_error, { result }) => {
      scripts = result.filter(({ url }) => url.includes(folder));
    });
    return scripts;
  };

  return {
    take() {
      const taken = take().map(({ url, functions }) => {
        const now = painted(functions.flatMap(({ ranges }) => ranges));
        return { now, before: roomFor(seen, url, now.length) };
      });
      return {
        isNew: taken.some(({ now, before }) => now.some((state, i) => state === RUN && before[i] !== RUN)),
        note() {
          for (const { now, before } of taken)
            for (let i = 0; i < now.length; i++) before[i] = Math.max(before[i] as number, now[i] as number);
        },
      };
    },
    get characters() {
      const all = [...seen.values()];
      const count = (least: number): number =>
        all.reduce((sum, states) => sum + states.filter((state) => state >= least).length, 0);
      return { run: count(RUN), known: count(KNOWN) };
    },
    stop() {
      session.post("Profiler.stopPreciseCoverage");
      session.disconnect();
    },
  };
}

/** What a character is part of. */
const KNOWN = 1;
const RUN = 2;

/** Ranges lie in each other, the outer ones first. */
function painted(ranges: readonly Range[]): Uint8Array {
  const end = ranges.reduce((most, { endOffset }) => Math.max(most, endOffset), 0);
  const states = new Uint8Array(end);
  for (const { startOffset, endOffset, count } of ranges)
    states.fill(count > 0 ? RUN : KNOWN, startOffset, endOffset);
  return states;
}

function roomFor(seen: Map<string, Uint8Array>, url: string, length: number): Uint8Array {
  const known = seen.get(url) ?? new Uint8Array(0);
  if (known.length >= length) return known;
  const larger = new Uint8Array(length);
  larger.set(known);
  seen.set(url, larger);
  return larger;
}
