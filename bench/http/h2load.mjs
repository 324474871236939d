import { execFile } from "node:child_process";
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { isInstalled, LOAD_CORE, pinned } from "../lib/process.mjs";
import { quantile } from "../lib/statistics.mjs";

export const CAN_PACE = isInstalled("h2load");

/** More than any of the servers has turned out to take. */
const TLS_PER_SECOND = 1000;

/**
 * New TLS connections with a request each, as many as come in so many seconds, however long it takes to serve them.
 * @param {{ port: number, hostname: string, folder: string, seconds: number }} order
 */
export async function connectTls({ port, hostname, folder, seconds }) {
  const count = TLS_PER_SECOND * seconds;
  const pace = [`-n${count}`, `-c${count}`, `-r${TLS_PER_SECOND / 10}`, "--rate-period=100ms"];
  const url = `https://127.0.0.1:${port}/live/channel1/index.m3u8?token=abc`;
  const startMs = performance.now();
  const { statuses, microseconds } = await load([...pace, "-H", "connection: close", url], hostname, folder);
  const requests = statuses.filter((status) => status === "302").length;
  return {
    requests,
    failed: count - requests,
    perSecond: (requests / (performance.now() - startMs)) * 1000,
    p99Ms: quantile(microseconds, 0.99) / 1000,
  };
}

/**
 * By its own log of every request.
 * @param {readonly string[]} options
 * @param {string} hostname
 * @param {string} folder
 */
async function load(options, hostname, folder) {
  const log = join(folder, "requests.tsv");
  // It appends.
  rmSync(log, { force: true });
  const headers = ["-H", `:authority: ${hostname}`, "-H", "x-forwarded-for: 81.2.69.142"];
  const command = ["h2load", "--h1", ...headers, `--log-file=${log}`, ...options];
  const [program, ...args] = pinned(LOAD_CORE, command);
  await promisify(execFile)(program, args);
  const rows = readFileSync(log, "latin1")
    .trim()
    .split("\n")
    .map((line) => line.split("\t"));
  return { statuses: rows.map(([, status]) => status), microseconds: rows.map((row) => Number(row[2])) };
}

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

/** Delays at a steady rate. @param {Order} order */
export async function delays({ port, hostname, folder, perSecond, seconds, reload }) {
  const pace = [`-c${CONNECTIONS}`, `--rps=${Math.ceil(perSecond / CONNECTIONS)}`, `-D${seconds}s`];
  const url = `http://127.0.0.1:${port}/live/channel1/index.m3u8?token=abc`;
  const timer = reload && setTimeout(reload, RELOAD_AFTER * 1000);
  const { statuses, microseconds } = await load([...pace, url], hostname, folder);
  clearTimeout(timer);
  return {
    failed: statuses.filter((status) => status !== "302").length,
    p50Ms: quantile(microseconds, 0.5) / 1000,
    p99Ms: quantile(microseconds, 0.99) / 1000,
  };
}
