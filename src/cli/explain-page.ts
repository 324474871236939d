import type { FavourReason, RejectionReason, Unreachable } from "../model/decision.ts";
import type { Service } from "../model/service.ts";
import type { Look } from "./page.ts";
import { placeOf } from "./place.ts";
import { type Cell, fields, heading, table } from "./table.ts";
import { kilometres, percent, UNKNOWN, wordFor } from "./text.ts";
import type { ChoiceView, ExplainView, OutcomeView, RejectionView } from "../model/views.ts";

/** Which edges a viewer gets, in order, and why not the others. */
export function explainPage(hostname: string, view: ExplainView, { colour }: Look): string[] {
  const { viewer } = view;
  return [
    heading(`${hostname}, service ${view.service}`, colour),
    ...fields(
      [
        ["viewer", `${viewer.address}, ${placeOf(viewer)}`],
        ["asked as", `${viewer.prefix}; the answer holds for ${view.scopePrefix} and ${view.ttlSeconds}s`],
        ["outcome", outcomeCell(view.outcome)],
        ...orderOf(view).map((text): [string, Cell] => ["order", text]),
      ],
      colour,
    ),
    ...(view.edges.length === 0 ? [] : ["", ...choiceTable(view, colour)]),
    ...(view.rejected.length === 0
      ? []
      : ["", ...table(REJECTION_COLUMNS, view.rejected.map(rejectionRow), colour)]),
  ];
}

function outcomeCell({ kind, reason, fallback }: OutcomeView): Cell {
  switch (kind) {
    case "edges":
      return { text: "served", style: "green" };
    case "overload":
      return { text: "overload: every edge is full, the least bad first", style: "yellow" };
    case "fail-open":
      return { text: "fail-open: every edge is down, answered as if all were up", style: "yellow" };
    case "fallback": {
      const places = [fallback?.url, ...(fallback?.addresses ?? [])].filter((place) => place !== undefined);
      return { text: `fallback: no edge can serve, so ${places.join(", ")}`, style: "yellow" };
    }
    case "refused":
      return { text: `refused: ${reason ?? "for no reason given"}`, style: "red" };
    default:
      return kind satisfies never;
  }
}

/** What the edges are in order of, where that is not the score. */
function orderOf({ rank = "nearest", viewer, edges }: ExplainView): string[] {
  if (edges.length === 0) return [];
  if (rank !== "nearest") return [wordFor(ORDERS, rank) ?? rank];
  return viewer.layer === "none" ? ["by load and weight, since nobody knows where the viewer is"] : [];
}

const ORDERS: Readonly<Record<Exclude<Service["rank"], "nearest">, string>> = {
  "least-loaded": "by load (rank: least-loaded)",
  weighted: "by lot, the heavier the sooner (rank: weighted)",
  failover: "as the service lists them (rank: failover)",
};

/** What players' reports add is shown where they add anything, and the score where the edges are in its order. */
function choiceTable(view: ExplainView, colour: boolean): string[] {
  const { edges: choices, outcome } = view;
  // They are answered as if they were up, and none is.
  const areAllDown = outcome.kind === "fail-open";
  const isCorrected = choices.some(({ correctionKm }) => correctionKm !== undefined);
  const isByScore = orderOf(view).length === 0;
  const isShown = (_: unknown, column: number): boolean =>
    column === PLAYERS_AT ? isCorrected : column !== SCORE_AT || isByScore;
  const rows = choices.map((choice, index) => choiceRow(choice, index, areAllDown).filter(isShown));
  return table(CHOICE_COLUMNS.filter(isShown), rows, colour);
}

const PLAYERS_AT = 5;
const SCORE_AT = 6;
const CHOICE_COLUMNS = [
  { title: "#", align: "right" },
  { title: "EDGE" },
  { title: "DISTANCE km", align: "right" },
  { title: "LOAD", align: "right" },
  { title: "PRICE km", align: "right" },
  { title: "PLAYERS km", align: "right" },
  { title: "SCORE km", align: "right" },
  { title: "IPv4" },
  { title: "IPv6" },
  { title: "URL" },
  { title: "" },
] as const;

/** The score is what `rank: nearest` orders by. */
function choiceRow(choice: ChoiceView, index: number, isDown: boolean): Cell[] {
  const { id, url, distanceKm, load, priceKm, correctionKm = 0, favour, up, down = [] } = choice;
  return [
    String(index + 1),
    { text: id, style: "bold" },
    kilometres(distanceKm),
    percent(load),
    kilometres(priceKm),
    kilometres(correctionKm),
    kilometres(
      typeof distanceKm === "number" ? distanceKm + priceKm + correctionKm - (favour?.km ?? 0) : undefined,
    ),
    familyCell(up["4"], down.includes(4) || (isDown && up["4"])),
    familyCell(up["6"], down.includes(6) || (isDown && up["6"])),
    url ?? UNKNOWN,
    favour === undefined ? "" : (wordFor(FAVOURS, favour.why) ?? favour.why),
  ];
}

const FAVOURS: Readonly<Record<FavourReason, string>> = {
  preferred: "preferred for this viewer",
  stream: "the stream's edge here",
  warm: "has the stream already",
  viewer: "this viewer's edge",
};

function familyCell(isUp: boolean, isDown: boolean): Cell {
  if (isDown) return { text: "down", style: "red" };
  return isUp ? { text: "up", style: "green" } : UNKNOWN;
}

const REJECTION_COLUMNS = [
  { title: "REJECTED" },
  { title: "REASON" },
  { title: "DISTANCE km", align: "right" },
  { title: "" },
] as const;

function rejectionRow({ id, reason, distanceKm }: RejectionView): Cell[] {
  return [
    id,
    { text: reason, style: "red" },
    kilometres(distanceKm),
    { text: wordFor(WHY, reason) ?? "", style: "dim" },
  ];
}

const WHY: Readonly<Record<RejectionReason | Unreachable, string>> = {
  off: "out of service",
  drain: "keeps the viewers it has, takes no one new",
  down: "its probe fails, or its IPv4 is down and the viewer comes over that",
  full: "at its capacity, less the service's margin",
  "stale-stream": "the stream stands still there",
  "too-far": "further than the service sends this viewer",
  "not-allowed": "the viewer, by the service's allow and deny",
  "no-address": "DNS can name the service's other edges only: it has no addresses",
  "no-url": "HTTP can redirect to the service's other edges only: it has no url",
  "ramp-up": "it is back, and takes up load little by little",
};
