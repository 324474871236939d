import { describe, expect, it } from "vitest";
import { edgeward, problem, startFakeOps } from "./fixture.ts";

describe("health", () => {
  it.each([
    ["ready", 200, { ready: true, reasons: [] }, 0, "ready\n"],
    [
      "not ready, and why",
      503,
      { title: "Not ready", ready: false, reasons: ["probes\u0007"] },
      1,
      "not ready:\n",
    ],
    ["something else there", 200, { hello: 1 }, 4, ""],
  ])("tells %s", async (_name, status, body, exitCode, said) => {
    const { url } = await startFakeOps({ "GET /readyz": [status, body] });
    const { code, out } = await edgeward(["health", "--server", url]);
    expect(code).toBe(exitCode);
    expect(out).toContain(said);
    expect(out).not.toContain("\u0007");
  });

  it("exits 4 where nothing listens", async () => {
    expect((await edgeward(["health", "--server", "http://127.0.0.1:1"])).code).toBe(4);
  });
});

describe("replace", () => {
  it("tells the process that serves from now on", async () => {
    const { url } = await startFakeOps({ "POST /v1/replace": [200, { pid: 4321 }] });
    const { code, out } = await edgeward(["replace", "--server", url]);
    expect([code, out]).toEqual([0, "replaced; process 4321 serves\n"]);
  });

  it("tells why the running one stays, and exits 1", async () => {
    const detail = "the new process ended before it served (exit code 1): the log says why";
    const { url } = await startFakeOps({
      "POST /v1/replace": problem(409, "not-replaced", "This one serves on", { detail }),
    });
    const { code, out, err } = await edgeward(["replace", "--server", url]);
    expect([code, out]).toEqual([1, ""]);
    expect(err).toContain(detail);
  });
});

describe("reload", () => {
  it("lists what changed", async () => {
    const { url } = await startFakeOps({
      "POST /v1/reload": [200, { changed: ["edges.ams1.capacity", "services.live"] }],
    });
    const { code, out } = await edgeward(["reload", "--server", url]);
    expect([code, out]).toEqual([0, "reloaded; changed:\n  edges.ams1.capacity\n  services.live\n"]);
    const json = await edgeward(["reload", "-o", "json", "--server", url]);
    expect(JSON.parse(json.out)).toEqual({ changed: ["edges.ams1.capacity", "services.live"] });
  });

  it("says so when nothing changed", async () => {
    const { url } = await startFakeOps({ "POST /v1/reload": [200, { changed: [] }] });
    expect((await edgeward(["reload", "--server", url])).out).toBe("reloaded; nothing has changed\n");
  });

  it("says what waits for a restart", async () => {
    const { url } = await startFakeOps({
      "POST /v1/reload": [200, { changed: ["listen", "stateFile", "dns"] }],
    });
    expect((await edgeward(["reload", "--server", url])).out).toBe(
      [
        "reloaded; changed:",
        "  listen (addresses from `edgeward replace` or a restart on)",
        "  stateFile (from `edgeward replace` or a restart on)",
        "  dns\n",
      ].join("\n"),
    );
  });

  it("prints every problem with its line, and exits 3", async () => {
    const problems = [
      {
        file: "/etc/e.yaml",
        line: 3,
        column: 5,
        path: "edges.ams1.wieght",
        message: "unknown key; did you mean weight?",
      },
      { file: "/etc/e.yaml", line: 1, column: 1, path: "", message: "too large" },
    ];
    const { url } = await startFakeOps({
      "POST /v1/reload": problem(422, "invalid-configuration", "The configuration is wrong", { problems }),
    });
    const { code, out, err } = await edgeward(["reload", "--server", url]);
    expect([code, out]).toEqual([3, ""]);
    expect(err.split("\n")).toEqual([
      "/etc/e.yaml:3:5: edges.ams1.wieght: unknown key; did you mean weight?",
      "/etc/e.yaml:1:1: too large",
      "edgeward: 2 problems in the configuration; the service goes on with the one it has",
      "",
    ]);
  });
});

describe("acme", () => {
  const CHANGED = { challenges: [], removed: 1 };
  const hostname = "live.cdn.example.net";
  /** Each would be the version, help, a configuration or a format, but for its length. */
  const DIGESTS = ["V", "h", "c", "o", "-", "x"].map((letter) => `-${letter.padEnd(42, "a")}`);

  it.each(DIGESTS)("RFC 8555 8.4: takes a value that begins with a dash for a value, %s", async (value) => {
    const { url, asked } = await startFakeOps({
      [`PUT /v1/acme/${hostname}`]: [200, CHANGED],
      [`DELETE /v1/acme/${hostname}`]: [200, CHANGED],
    });
    const set = await edgeward(["acme", "set", hostname, value, "--for", "10m", "--server", url]);
    expect([set.code, set.err]).toEqual([0, ""]);
    const unset = await edgeward(["acme", "unset", "--server", url, "--", hostname, value]);
    expect([unset.code, unset.err]).toEqual([0, ""]);
    expect((await edgeward(["acme", "unset", hostname, value, "--server", url])).code).toBe(0);
    expect(asked.map(({ method, target, body }) => [method, target, body])).toEqual([
      ["PUT", `/v1/acme/${hostname}`, { value, until: "10m" }],
      ["DELETE", `/v1/acme/${hostname}?value=${value}`, undefined],
      ["DELETE", `/v1/acme/${hostname}?value=${value}`, undefined],
    ]);
  });

  it.each(["5", "-5m", "soon", "2029-01-01T00:00:00Z"])("is wrong usage for the time %s", async (time) => {
    const { url, asked } = await startFakeOps({ [`PUT /v1/acme/${hostname}`]: [200, CHANGED] });
    const { code, err } = await edgeward(["acme", "set", hostname, "x", `--for=${time}`, "--server", url]);
    expect(code).toBe(2);
    expect(err).toContain("--for: ");
    expect(asked).toEqual([]);
  });
});
