import { printable, type Style, styled } from "./text.ts";

export interface Column {
  readonly title: string;
  /** Numbers stand right. */
  readonly align?: "right";
}

export type Cell = string | { readonly text: string; readonly style: Style };

/** Aligned lines: the titles, then the rows. Cells are made printable here, so that no caller forgets it. */
export function table(
  columns: readonly Column[],
  rows: readonly (readonly Cell[])[],
  colour: boolean,
): string[] {
  const titles = columns.map(({ title }): Cell => ({ text: title, style: "dim" }));
  return aligned(columns, [titles, ...rows], colour);
}

/** Names and values in two columns, indented under a heading. */
export function fields(pairs: readonly (readonly [name: string, value: Cell])[], colour: boolean): string[] {
  const rows = pairs.map(([name, value]): Cell[] => [{ text: name, style: "dim" }, value]);
  return aligned([{ title: "" }, { title: "" }], rows, colour).map((line) => `  ${line}`);
}

/** One heading; made printable. */
export function heading(text: string, colour: boolean): string {
  return styled(printable(text), "bold", colour);
}

function aligned(columns: readonly Column[], rows: readonly (readonly Cell[])[], colour: boolean): string[] {
  const shown = rows.map((row) => row.map((cell) => printable(textOf(cell))));
  const widths = columns.map((_, i) => Math.max(0, ...shown.map((row) => widthOf(row[i] ?? ""))));
  return rows.map((row, r) =>
    columns
      .map(({ align }, i) => {
        const text = shown[r]?.[i] ?? "";
        const gap = " ".repeat((widths[i] ?? 0) - widthOf(text));
        const painted = paint(row[i] ?? "", text, colour);
        return align === "right" ? gap + painted : painted + gap;
      })
      .join("  ")
      .trimEnd(),
  );
}

function textOf(cell: Cell): string {
  return typeof cell === "string" ? cell : cell.text;
}

function paint(cell: Cell, text: string, colour: boolean): string {
  return typeof cell === "string" ? text : styled(text, cell.style, colour);
}

/** East Asian wide and fullwidth, and emoji: two columns each (UAX #11, roughly). */
const WIDE =
  /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]/u;

/** Columns that a terminal needs for the text; combining marks need none. */
export function widthOf(text: string): number {
  let width = 0;
  for (const character of text) {
    if (/\p{M}/u.test(character)) continue;
    width += WIDE.test(character) ? 2 : 1;
  }
  return width;
}
