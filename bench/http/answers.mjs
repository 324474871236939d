import { get as getHttp } from "node:http";
import { get as getHttps } from "node:https";
import { SITES } from "../lib/sites.mjs";
import { randomFrom, randomSubnet } from "../lib/random.mjs";

const VIEWERS = 10_000;
/** While others are counted, one in so many milliseconds is looked at as a whole. */
const CHECK_EVERY_MS = 20;

/** Viewers' addresses, one per request in turn, as a trusted proxy tells them. */
export function viewers() {
  const random = randomFrom(3);
  return Array.from({ length: VIEWERS }, () => [...randomSubnet(random), random() & 0xff].join("."));
}

/** What the n-th viewer asks for. @param {number} n from 0 */
export function targetOf(n) {
  return `/live/channel${(n + 1) % 100}/index.m3u8?token=abc${n + 1}`;
}

/** @typedef {{ port: number, hostname: string, isTls?: boolean }} Door */
/**
 * What is wrong with the answer to a viewer; undefined: nothing.
 * @typedef {(door: Door, viewer: string, n: number) => Promise<string | undefined>} Check
 */

const SITE_URLS = SITES.map(({ url }) => url);

/** A redirect to one of the sites, with path and query. @type {Check} */
export async function checkRedirect(door, viewer, n) {
  const target = targetOf(n);
  const { status, location } = await ask(door, target, viewer);
  if (status === 302 && SITE_URLS.some((url) => location === url + target)) return undefined;
  return `status ${status} and Location ${location} for ${viewer}`;
}

/** A steering manifest that names every site, each once. @type {Check} */
export async function checkManifest(door, viewer) {
  const { status, body } = await ask(door, STEERING, viewer);
  const priority = status === 200 ? JSON.parse(body)["PATHWAY-PRIORITY"] : [];
  if (new Set(priority).size === SITES.length && priority.length === SITES.length) return undefined;
  return `status ${status} and ${body} for ${viewer}`;
}

export const STEERING = "/.edgeward/steering?_HLS_pathway=ams&_HLS_throughput=8000000";

/**
 * Throws unless all of the sample are right.
 * @param {string} name
 * @param {Door} door
 * @param {Check} check
 * @param {number} sample
 */
export async function checkSample(name, door, check, sample) {
  for (const [n, viewer] of viewers().slice(0, sample).entries()) {
    const wrong = await check(door, viewer, n);
    if (wrong !== undefined) throw new Error(`${name} sends ${wrong}`);
  }
}

/**
 * Looks at answers while something else goes on; throws if one was wrong.
 * @template T
 * @param {string} name
 * @param {Door} door
 * @param {Check} check
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function checkWhile(name, door, check, work) {
  const run = { isGoingOn: true };
  const looking = (async () => {
    const all = viewers();
    for (let checked = 0; run.isGoingOn; checked++) {
      const n = (checked * 7919) % all.length;
      const wrong = await check(door, all[n] ?? "", n).catch(String);
      if (wrong !== undefined) return wrong;
      await new Promise((resolve) => setTimeout(resolve, CHECK_EVERY_MS));
    }
    return undefined;
  })();
  const result = await work().finally(() => {
    run.isGoingOn = false;
  });
  const wrong = await looking;
  if (wrong !== undefined) throw new Error(`${name} sends ${wrong}`);
  return result;
}

/**
 * @param {Door} door
 * @param {string} path
 * @param {string} viewer
 * @returns {Promise<{ status: number | undefined, location: string | undefined, body: string }>}
 */
function ask({ port, hostname, isTls = false }, path, viewer) {
  const headers = { host: hostname, "x-forwarded-for": viewer };
  const tls = isTls ? { servername: hostname, rejectUnauthorized: false } : {};
  const get = isTls ? getHttps : getHttp;
  return new Promise((resolve, reject) => {
    get({ host: "127.0.0.1", port, path, headers, agent: false, ...tls }, (response) => {
      let body = "";
      response.setEncoding("utf8");
      response.on("data", (text) => (body += text));
      response.once("error", reject);
      response.once("end", () =>
        resolve({ status: response.statusCode, location: response.headers.location, body }),
      );
    }).on("error", reject);
  });
}
