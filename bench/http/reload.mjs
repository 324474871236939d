import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { isInstalled, LOAD_CORE, pinned } from "../lib/process.mjs";
import { quantile } from "../lib/statistics.mjs";

export const CAN_PACE = isInstalled("h2load");

const CONNECTIONS = 32;
/** Seconds after the start of what is measured. */
const RELOAD_AFTER = 0.5;

/**
 * @typedef {object} Order
 * @property {number} port
 * @property {string} hostname
 * @property {string} folder
 * @property {number} perSecond
 * @property {number} seconds
 * @property {(() => void) | undefined} reload called while it is measured; left out: nothing is reloaded
 */

/** Delays at a steady rate, by h2load's own log of every request. @param {Order} order */
export async function delays({ port, hostname, folder, perSecond, seconds, reload }) {
  const log = join(folder, "requests.tsv");
  const options = [
    "--h1",
    `-c${CONNECTIONS}`,
    `--rps=${Math.ceil(perSecond / CONNECTIONS)}`,
    `-D${seconds}s`,
  ];
  const headers = ["-H", `:authority: ${hostname}`, "-H", "x-forwarded-for: 81.2.69.142"];
  const url = `http://127.0.0.1:${port}/live/channel1/index.m3u8?token=abc`;
  const [program, ...args] = pinned(LOAD_CORE, ["h2load", ...options, ...headers, `--log-file=${log}`, url]);
  const timer = reload && setTimeout(reload, RELOAD_AFTER * 1000);
  await promisify(execFile)(program, args);
  clearTimeout(timer);
  const rows = readFileSync(log, "latin1")
    .trim()
    .split("\n")
    .map((line) => line.split("\t"));
  const microseconds = rows.map((row) => Number(row[2]));
  return {
    requests: rows.length,
    failed: rows.filter(([, status]) => status !== "302").length,
    p50Ms: quantile(microseconds, 0.5) / 1000,
    p99Ms: quantile(microseconds, 0.99) / 1000,
  };
}
