import type { LoadReport } from "../model/condition.ts";
import type { LoadField } from "../model/edge.ts";
import type { Look } from "./page.ts";
import { type Cell, heading, table } from "./table.ts";
import { bitRate, percent, printable, UNKNOWN } from "./text.ts";
import type { LoadFieldView, LoadReadingView, LoadView } from "./views.ts";

/** One reading of an edge's load: each field with the source it comes from, then each source. */
export function loadPage({ edgeId, report, sources }: LoadView, { colour }: Look): string[] {
  if (sources.length === 0) return [heading(edgeId, colour), UNTOLD];
  const rows = FIELDS.map((field) => fieldRow(field, report, sources));
  return [
    heading(edgeId, colour),
    ...table(FIELD_COLUMNS, rows, colour),
    "",
    ...table([{ title: "SOURCE" }, { title: "RESULT" }, { title: "URL" }], sources.map(sourceRow), colour),
  ];
}

const UNTOLD = "the configuration names no source of its load, which stays unknown; add load: to the edge";

/** Why there is no report, for whoever sees nothing else; `undefined` if there is one. */
export function unreadText(view: LoadView): string | undefined {
  if (isRead(view)) return undefined;
  if (view.sources.length === 0) return UNTOLD;
  return view.sources.map(({ type, problem }) => printable(`${type}: ${problem ?? ""}`)).join("; ");
}

/** Whether any source could be read. */
export function isRead({ sources }: LoadView): boolean {
  return sources.some(({ problem }) => problem === undefined);
}

const FIELDS = ["viewers", "bandwidth", "cpu", "memory", "streams"] as const satisfies readonly LoadField[];

const FIELD_COLUMNS = [
  { title: "FIELD" },
  { title: "VALUE", align: "right" },
  { title: "SOURCE" },
  { title: "FROM" },
  { title: "NOTE" },
] as const;

function fieldRow(field: LoadField, report: LoadReport, sources: readonly LoadReadingView[]): Cell[] {
  const { type, reading } = originOf(field, sources) ?? {};
  const note: Cell = { text: reading?.problem ?? "", style: "yellow" };
  return [field, shown(report, field), type ?? UNKNOWN, reading?.from ?? UNKNOWN, note];
}

/** The first source that knows a field wins; where none does, the first that looked for it tells why. */
function originOf(
  field: LoadField,
  sources: readonly LoadReadingView[],
): { type: string; reading: LoadFieldView | undefined } | undefined {
  const readingOf = ({ fields }: LoadReadingView): LoadFieldView | undefined =>
    fields.find((reading) => reading.field === field);
  const source =
    sources.find(({ report }) => report[field] !== undefined) ??
    sources.find((candidate) => readingOf(candidate) !== undefined);
  return source === undefined ? undefined : { type: source.type, reading: readingOf(source) };
}

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

function sourceRow({ type, url, problem }: LoadReadingView): Cell[] {
  const result: Cell =
    problem === undefined ? { text: "read", style: "green" } : { text: problem, style: "yellow" };
  return [type, result, url ?? ""];
}
