import { machine, machineLine } from "./machine.mjs";

/**
 * @typedef {object} Table
 * @property {string} title
 * @property {readonly string[]} columns
 * @property {readonly (readonly (string | number)[])[]} rows
 */

/**
 * @typedef {object} Findings
 * @property {string} bench
 * @property {string} question
 * @property {readonly Table[]} tables
 * @property {readonly string[]} [notes]
 */

const asJson = process.argv.includes("--json");

/**
 * Prints the machine and the tables; with `--json` the same as one line.
 * @param {Findings} findings
 */
export function publish({ bench, question, tables, notes = [] }) {
  const here = machine();
  if (asJson) {
    process.stdout.write(`${JSON.stringify({ bench, question, machine: here, tables, notes })}\n`);
    return;
  }
  process.stdout.write(`${question}\n${machineLine(here)}\n`);
  for (const table of tables) process.stdout.write(`\n${table.title}\n${markdown(table)}`);
  for (const note of notes) process.stdout.write(`\n${note}\n`);
}

/**
 * What goes on, for who waits; never part of what is published.
 * @param {string} text
 */
export function progress(text) {
  process.stderr.write(`${text}\n`);
}

/** @param {Table} table */
function markdown({ columns, rows }) {
  const cells = [columns, ...rows].map((row) => row.map(cell));
  const widths = columns.map((_, i) => Math.max(3, ...cells.map((row) => (row[i] ?? "").length)));
  const isNumeric = columns.map((_, i) => rows.some((row) => typeof row[i] === "number"));
  const line = (/** @type {readonly string[]} */ row) =>
    `| ${row.map((text, i) => (isNumeric[i] ? text.padStart(widths[i] ?? 0) : text.padEnd(widths[i] ?? 0))).join(" | ")} |\n`;
  const rule = `|${widths.map((width, i) => (isNumeric[i] ? `${"-".repeat(width + 1)}:` : "-".repeat(width + 2))).join("|")}|\n`;
  return line(cells[0] ?? []) + rule + cells.slice(1).map(line).join("");
}

/** @param {string | number} value */
function cell(value) {
  if (typeof value === "string") return value;
  if (Number.isNaN(value)) return "–";
  if (Math.abs(value) >= 100) return Math.round(value).toLocaleString("en-US");
  return String(Number(value.toPrecision(3)));
}
