import type { Look } from "./page.ts";
import { type Cell, fields, heading, table } from "./table.ts";
import { elapsed } from "./text.ts";
import type { ProbedAddressView, ProbeView } from "./views.ts";

/** One run of an edge's probe: what each address did, when. */
export function probePage({ edgeId, type, target, addresses }: ProbeView, { colour }: Look): string[] {
  const title = heading(`${edgeId}, probe ${type}${target === undefined ? "" : ` ${target}`}`, colour);
  if (type === "none") return [title, "  not probed: it counts as up"];
  if (addresses.length === 0) return [title, "  nothing to probe: the edge has no addresses"];
  const notes = addresses.flatMap(({ address, notes = [] }) =>
    notes.map((note): [string, Cell] => [address, note]),
  );
  return [
    title,
    ...table(COLUMNS, addresses.map(addressRow), colour),
    ...(notes.length === 0 ? [] : ["", "Notes", ...fields(notes, colour)]),
  ];
}

/** Whether every address passed. */
export function isHealthy({ addresses }: ProbeView): boolean {
  return addresses.every(({ ok }) => ok);
}

const COLUMNS = [
  { title: "ADDRESS" },
  { title: "RESULT" },
  { title: "TOOK", align: "right" },
  { title: "STEPS" },
] as const;

function addressRow({ address, ok, reason, detail, durationMs, steps }: ProbedAddressView): Cell[] {
  const failure = [reason ?? "failed", detail].filter((word) => word !== undefined).join(" ");
  const result: Cell = ok ? { text: "ok", style: "green" } : { text: failure, style: "red" };
  return [
    address,
    result,
    elapsed(durationMs),
    steps.map(({ name, ms }) => `${name} ${elapsed(ms)}`).join(", "),
  ];
}
