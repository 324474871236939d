/** Real players in a real browser, and what their viewer sees. */
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { join } from "node:path";
import { type Browser, chromium, type Page } from "playwright-core";
import { ROOT } from "../scenarios/program.ts";

export type PlayerKind = "hls" | "dash" | "shaka";

const CHROMIUM = "/usr/bin/chromium";
const PLAYERS = join(ROOT, "test/players/node_modules");

/** Outside CI the tests are left out where browser, players or nginx are not installed. */
export const canPlay =
  existsSync(CHROMIUM) && existsSync(PLAYERS) && spawnSync("nginx", ["-v"]).error === undefined;

const SCRIPTS: Readonly<Record<PlayerKind, string>> = {
  hls: "hls.js/dist/hls.min.js",
  dash: "dashjs/dist/modern/umd/dash.all.min.js",
  shaka: "shaka-player/dist/shaka-player.compiled.js",
};

export interface Viewers {
  /** Opens a page with one player, and has it play. */
  play(kind: PlayerKind, url: string, settings?: object): Promise<Viewer>;
  close(): Promise<void>;
}

export interface Viewer {
  look(): Promise<Look>;
  /** The worst is told from here on. */
  mark(): Promise<void>;
  /** Requests so far, oldest first. */
  readonly requests: readonly Requested[];
  /** Host of the last media segment that arrived. */
  readonly segmentHost: () => string | undefined;
  readonly page: Page;
}

export interface Look {
  readonly timeSeconds: number;
  readonly bufferSeconds: number;
  /** The least there was ahead of what is played; null before the first frame. */
  readonly leastBufferSeconds: number | null;
  readonly longestStallMs: number;
  /** From the call to play; null before. */
  readonly firstFrameMs: number | null;
  /** As the player tells them, with seconds since the start. */
  readonly errors: readonly string[];
}

export interface Requested {
  readonly atMs: number;
  readonly url: URL;
  /** Undefined when it failed. */
  readonly status: number | undefined;
}

/** For the browser every hostname leads to `host`, and nothing leads outside. */
export async function startViewers(host: string): Promise<Viewers> {
  const { server, origin } = await servePage(host);
  const browser: Browser = await chromium.launch({
    executablePath: CHROMIUM,
    args: [
      "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking".split(
        " ",
      ),
      "--disable-component-update --disable-sync --autoplay-policy=no-user-gesture-required".split(" "),
      `--host-resolver-rules=MAP *.cdn.example.net ${host}, MAP * ~NOTFOUND, EXCLUDE 127.*`,
    ].flat(),
  });
  return {
    async play(kind, url, settings) {
      const page = await browser.newPage();
      const requests: Requested[] = [];
      watch(page, requests, origin);
      await page.goto(`${origin}/${kind}/`, { timeout: 60_000 });
      await page.evaluate(
        `window.play(${[kind, url, settings].map((word) => JSON.stringify(word) ?? "undefined").join(", ")})`,
      );
      return {
        page,
        requests,
        look: async () => await page.evaluate<Look>("window.look()"),
        mark: async () => await page.evaluate<undefined>("window.mark()"),
        segmentHost: () =>
          requests.findLast(({ url: { pathname }, status }) => /\.(m4s|ts)$/.test(pathname) && status === 200)
            ?.url.hostname,
      };
    },
    async close() {
      await browser.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function watch(page: Page, requests: Requested[], origin: string): void {
  const add = (url: string, status: number | undefined): void => {
    if (!url.startsWith(origin) && url.startsWith("http"))
      requests.push({ atMs: performance.now(), url: new URL(url), status });
  };
  page.on("response", (response) => add(response.url(), response.status()));
  page.on("requestfailed", (request) => add(request.url(), undefined));
}

/** `/KIND/` is a page with that player. */
async function servePage(host: string): Promise<{ server: Server; origin: string }> {
  const server = createServer((request, response) => {
    const [, kind = "", file = ""] = (request.url ?? "").split("/");
    const [path, type] = fileOf(kind as PlayerKind, file);
    response.writeHead(200, { "content-type": type }).end(readFileSync(path));
  });
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  const { port } = server.address() as { port: number };
  return { server, origin: `http://${host}:${port}` };
}

function fileOf(kind: PlayerKind, file: string): readonly [string, string] {
  const own = join(ROOT, "test/players");
  if (file === "player.js") return [join(PLAYERS, SCRIPTS[kind]), "text/javascript"];
  return file === "page.js"
    ? [join(own, "page.js"), "text/javascript"]
    : [join(own, "page.html"), "text/html"];
}
