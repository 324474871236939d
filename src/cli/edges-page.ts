import type { FamilyHealth, Health } from "../model/condition.ts";
import type { Family } from "../model/address.ts";
import type { Look } from "./page.ts";
import { type Cell, fields, heading, table } from "./table.ts";
import {
  bitRate,
  duration,
  kilometres,
  localTime,
  percent,
  printable,
  type Style,
  UNKNOWN,
  wordFor,
} from "./text.ts";
import type { AbsentEdgeView, EdgeView } from "../model/views.ts";
import type { ConditionView } from "./views.ts";

/** Every edge in a line, and what is kept of edges that are gone. */
export function edgesPage(
  edges: readonly EdgeView[],
  absent: readonly AbsentEdgeView[],
  look: Look,
): string[] {
  const gone = absent.map((edge) => absentLine(edge, look));
  if (edges.length === 0) return ["no edges", ...gone];
  const rows = edges.map((edge) => edgeRow(edge, look));
  return [...table(COLUMNS, rows, look.colour), ...gone];
}

function absentLine(edge: AbsentEdgeView, look: Look): string {
  const { id, state, forgottenAtMs } = edge;
  const origin = originOf(edge, look).join("");
  const until = `forgotten in ${duration(forgottenAtMs - look.nowMs)}, or by edgeward undrain ${id}`;
  return printable(`${id} is not configured any more; if it comes back: ${state}, ${origin}; ${until}`);
}

/** Everything about one edge. */
export function edgePage(edge: EdgeView, look: Look): string[] {
  const { latitude, longitude } = edge.location;
  return [
    heading(edge.id, look.colour),
    ...fields(
      [
        ["state", stateCell(edge)],
        ...originOf(edge, look).map((text): [string, Cell] => ["", text]),
        ...drainText(edge, look).map((text): [string, Cell] => ["drain", text]),
        ...edge.health.map((health): [string, Cell] => [`IPv${health.family}`, fullHealthCell(health, look)]),
        ...keptOf(edge).map((text): [string, Cell] => ["", { text, style: "yellow" }]),
        ["viewers", share(edge.load.viewers, edge.capacity.viewers, String)],
        ["bandwidth", share(edge.load.bandwidth, edge.capacity.bandwidth, bitRate)],
        ["load", percent(edge.loadRatio)],
        ["cpu", percent(edge.load.cpu)],
        ["memory", percent(edge.load.memory)],
        ["streams", listed(edge.load.streams)],
        ...staleStreamsOf(edge).map((text): [string, Cell] => ["", { text, style: "yellow" }]),
        ["report", reportAge(edge)],
        ...loadFailuresOf(edge).map((text): [string, Cell] => ["", { text, style: "yellow" }]),
        ["price", `${kilometres(edge.priceKm)} km`],
        ["weight", String(edge.weight)],
        ["addresses", listed(edge.addresses)],
        ["url", edge.url ?? UNKNOWN],
        ["location", `${latitude}, ${longitude}`],
        ["tags", listed(edge.tags)],
      ],
      look.colour,
    ),
  ];
}

/** Who changed the state, when, why and until when; nothing where the file holds. */
export function originOf(
  { stateOrigin: origin }: Pick<ConditionView, "stateOrigin">,
  { nowMs }: Look,
): string[] {
  if (origin.kind === "file") return [];
  const reason = origin.reason === "" ? "" : `: ${origin.reason}`;
  const empty = origin.deadlineMs === undefined ? "" : `, empty by ${localTime(origin.deadlineMs)}`;
  const until = origin.untilMs === undefined ? "" : `, until ${localTime(origin.untilMs)}`;
  return [`by ${origin.by} ${duration(nowMs - origin.atMs)} ago${reason}${empty}${until}`];
}

/** How far a drain has come; nothing where there is none. */
export function drainText({ drain }: Pick<EdgeView, "drain">, { nowMs }: Look): string[] {
  if (drain === undefined) return [];
  const { viewersLeft, emptyAtMs, emptySinceMs, deadlineMs, keptUntilMs } = drain;
  if (emptySinceMs !== undefined) return [`empty for ${duration(nowMs - emptySinceMs)}`];
  if (viewersLeft === undefined) {
    const answers =
      keptUntilMs === undefined
        ? "no answer that names it is kept any more"
        : "DNS answers and redirects that name it may be kept still";
    return [`nobody knows how many are left: no report, no steering; ${answers}`];
  }
  const left = `${viewersLeft} ${viewersLeft === 1 ? "viewer" : "viewers"} left`;
  if (emptyAtMs === undefined) return [left];
  const isLate = deadlineMs !== undefined && emptyAtMs > deadlineMs + LATE_MS;
  return [`${left}, empty in about ${duration(emptyAtMs - nowMs)}${isLate ? ", later than asked for" : ""}`];
}

const LATE_MS = 60_000;

const COLUMNS = [
  { title: "EDGE" },
  { title: "STATE" },
  { title: "IPv4" },
  { title: "IPv6" },
  { title: "VIEWERS", align: "right" },
  { title: "BANDWIDTH", align: "right" },
  { title: "LOAD", align: "right" },
  { title: "CPU", align: "right" },
  { title: "REPORT", align: "right" },
  { title: "PRICE km", align: "right" },
  { title: "NOTE" },
] as const;

function edgeRow(edge: EdgeView, look: Look): Cell[] {
  return [
    { text: edge.id, style: "bold" },
    stateCell(edge),
    healthCell(edge.health, 4, look),
    healthCell(edge.health, 6, look),
    share(edge.load.viewers, edge.capacity.viewers, String),
    share(edge.load.bandwidth, edge.capacity.bandwidth, bitRate),
    percent(edge.loadRatio),
    percent(edge.load.cpu),
    reportAge(edge),
    kilometres(edge.priceKm),
    [
      ...originOf(edge, look),
      ...drainText(edge, look),
      ...failuresOf(edge.health),
      ...staleStreamsOf(edge),
      ...loadFailuresOf(edge),
      ...keptOf(edge),
    ].join("; "),
  ];
}

function stateCell({ state }: ConditionView): Cell {
  switch (state) {
    case "active":
      return state;
    case "drain":
      return { text: state, style: "yellow" };
    case "off":
      return { text: state, style: "red" };
    default:
      return state satisfies never;
  }
}

function healthCell(health: readonly FamilyHealth[], family: Family, { nowMs }: Look): Cell {
  const found = health.find((one) => one.family === family);
  if (found === undefined) return UNKNOWN;
  return {
    text: `${found.health} ${duration(nowMs - found.sinceMs)}`,
    style: wordFor(STYLES, found.health) ?? "dim",
  };
}

const STYLES: Readonly<Record<Health, Style>> = {
  up: "green",
  down: "red",
  unknown: "yellow",
};

function fullHealthCell(found: FamilyHealth, { nowMs }: Look): Cell {
  const { health, reason, inDoubt, sinceMs } = found;
  const why = reason === undefined ? "" : `: ${reasonOf(found)}`;
  const text = `${health} for ${duration(nowMs - sinceMs)}, since ${localTime(sinceMs)}${why}${inDoubt === true ? ", in doubt" : ""}`;
  return { text, style: wordFor(STYLES, health) ?? "dim" };
}

function failuresOf(health: readonly FamilyHealth[]): string[] {
  return health.flatMap((found) =>
    found.health === "down" && found.reason !== undefined ? [`IPv${found.family} ${reasonOf(found)}`] : [],
  );
}

function reasonOf({ reason = "", detail }: FamilyHealth): string {
  return detail === undefined ? reason : printable(`${reason} ${detail}`);
}

function loadFailuresOf({ loadFailures = [] }: EdgeView): string[] {
  return loadFailures.map(({ type, problem }) => `load of ${type}: ${problem}`);
}

function staleStreamsOf({ staleStreams }: EdgeView): string[] {
  if (staleStreams === undefined) return [];
  const { count, names } = staleStreams;
  const shown = names.slice(0, STREAMS_SHOWN).map(printable).join(", ");
  const more = count - Math.min(names.length, STREAMS_SHOWN);
  const those = more === 0 ? shown : `${shown} and ${more} more`;
  return [count === 1 ? `stream ${those} stands still` : `${count} streams stand still: ${those}`];
}

const STREAMS_SHOWN = 3;

function keptOf({ keptBy = [] }: EdgeView): string[] {
  return keptBy.length === 0 ? [] : [`kept in service by ${keptBy.join(", ")}: too many went down at once`];
}

/** `312/700`; without a capacity the number alone, without a report `-/700`. */
function share(
  used: number | undefined,
  capacity: number | undefined,
  unit: (value: number) => string,
): string {
  const now = used === undefined ? UNKNOWN : unit(used);
  return capacity === undefined ? now : `${now}/${unit(capacity)}`;
}

function reportAge({ reportAgeMs }: ConditionView): string {
  return reportAgeMs === undefined ? UNKNOWN : `${duration(reportAgeMs)} ago`;
}

function listed(names: readonly string[] | undefined): string {
  return names === undefined || names.length === 0 ? UNKNOWN : names.join(", ");
}
