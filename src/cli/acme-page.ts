import type { ChallengeView } from "../model/acme.ts";
import type { Look } from "./page.ts";
import { table } from "./table.ts";
import { localTime } from "./text.ts";

/** What certificate authorities find at the `_acme-challenge` names, and until when. */
export function challengesPage(challenges: readonly ChallengeView[], { colour }: Look): string[] {
  if (challenges.length === 0) return ["no values are set"];
  const rows = challenges.flatMap(({ name, values }) =>
    values.map(({ value, by, untilMs }) => [name, value, localTime(untilMs), by]),
  );
  return table(COLUMNS, rows, colour);
}

const COLUMNS = [{ title: "NAME" }, { title: "VALUE" }, { title: "UNTIL" }, { title: "SET BY" }] as const;
