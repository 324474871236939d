import type { LoadReport } from "../model/condition.ts";
import type { LoadField } from "../model/edge.ts";
import type { Look } from "./page.ts";
import { type Cell, heading, table } from "./table.ts";
import { bitRate, elapsed, percent, UNKNOWN } from "./text.ts";
import type { LoadReadingView, LoadView } from "./views.ts";

/** One reading of an edge's load: each field with the source it comes from, then each source. */
export function loadPage({ edgeId, report, sources }: LoadView, { colour }: Look): string[] {
  const rows = FIELDS.map((field): Cell[] => [field, shown(report, field), originOf(field, sources)]);
  return [
    heading(edgeId, colour),
    ...table([{ title: "FIELD" }, { title: "VALUE", align: "right" }, { title: "FROM" }], rows, colour),
    "",
    ...table([{ title: "SOURCE" }, { title: "RESULT" }, { title: "URL" }], sources.map(sourceRow), colour),
  ];
}

/** Whether any source told anything. */
export function isRead({ sources }: LoadView): boolean {
  return sources.some(({ outcome }) => outcome.kind === "read");
}

const FIELDS = ["viewers", "bandwidth", "cpu", "memory", "streams"] as const satisfies readonly LoadField[];

function shown(report: LoadReport, field: LoadField): string {
  const value = report[field];
  if (value === undefined) return UNKNOWN;
  if (typeof value !== "number") return streams(value);
  if (field === "bandwidth") return bitRate(value);
  return field === "viewers" ? String(value) : percent(value);
}

const MOST_STREAMS = 5;

function streams(names: readonly string[]): string {
  const first = names.slice(0, MOST_STREAMS).join(", ");
  return names.length > MOST_STREAMS ? `${names.length}: ${first}, …` : `${names.length}: ${first}`;
}

/** The first source that knows a field wins. */
function originOf(field: LoadField, sources: readonly LoadReadingView[]): string {
  const origin = sources.find(
    ({ outcome }) => outcome.kind === "read" && outcome.report[field] !== undefined,
  );
  return origin?.type ?? "";
}

function sourceRow({ type, url, outcome }: LoadReadingView): Cell[] {
  return [type, outcomeCell(outcome), url ?? ""];
}

function outcomeCell(outcome: LoadReadingView["outcome"]): Cell {
  switch (outcome.kind) {
    case "read":
      return { text: `read in ${elapsed(outcome.tookMs)}`, style: "green" };
    case "failed":
      return { text: `${outcome.reason} after ${elapsed(outcome.tookMs)}`, style: "red" };
    case "push":
      return { text: "reports are pushed; `edgeward edges` shows the last", style: "dim" };
  }
}
