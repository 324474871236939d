import { describe, expect, it } from "vitest";
import type { EdgeView } from "../../src/model/views.ts";
import { AMS1, edgeward, NOW_MS, problem, rowOf, SIN1, startFakeOps } from "./fixture.ts";

const UNKNOWN_EDGE = problem(404, "unknown-edge", "No such edge");

describe("edges", () => {
  it("shows health, load and state of each in a line", async () => {
    const { url } = await startFakeOps({ "GET /v1/edges": [200, [AMS1, SIN1]] });
    const { code, out } = await edgeward(["edges", "--server", url]);
    expect(code).toBe(0);
    expect(rowOf(out, "ams1")).toEqual([
      "ams1",
      "active",
      "up 3h",
      "down 12s",
      "512/700",
      "428Mbps/1Gbps",
      "73%",
      "73%",
      "4s ago",
      "312",
      "IPv6 connection-refused",
    ]);
    expect(rowOf(out, "sin1").slice(0, 4)).toEqual(["sin1", "drain", "unknown 0s", "-"]);
    expect(rowOf(out, "sin1").at(-1)).toBe("by alice 5m ago: disk swap");
  });

  it("shows why a probe fails, with the status that it got", async () => {
    const found = { family: 4, health: "down", reason: "status", detail: "502", sinceMs: NOW_MS } as const;
    const failing = { ...SIN1, health: [found] };
    const { url } = await startFakeOps({
      "GET /v1/edges": [200, [failing satisfies EdgeView]],
      "GET /v1/edges/sin1": [200, failing],
    });
    expect(rowOf((await edgeward(["edges", "--server", url])).out, "sin1").at(-1)).toContain(
      "IPv4 status 502",
    );
    expect((await edgeward(["edges", "sin1", "--server", url])).out).toContain(": status 502");
  });

  it("shows why a load source cannot be read", async () => {
    const failing = { ...SIN1, loadFailures: [{ type: "srs", problem: "it refuses the connection" }] };
    const { url } = await startFakeOps({
      "GET /v1/edges": [200, [failing satisfies EdgeView]],
      "GET /v1/edges/sin1": [200, failing],
    });
    const said = "load of srs: it refuses the connection";
    expect(rowOf((await edgeward(["edges", "--server", url])).out, "sin1").at(-1)).toContain(`; ${said}`);
    expect((await edgeward(["edges", "sin1", "--server", url])).out).toContain(said);
  });

  it("names streams that stand still there, and of many the first", async () => {
    const one = { ...SIN1, staleStreams: { count: 1, names: ["live/cup"] } };
    const many = { ...AMS1, staleStreams: { count: 12, names: ["a", "b", "c", "d"] } };
    const { url } = await startFakeOps({
      "GET /v1/edges": [200, [one satisfies EdgeView, many satisfies EdgeView]],
      "GET /v1/edges/sin1": [200, one],
    });
    const { out } = await edgeward(["edges", "--server", url]);
    expect(rowOf(out, "sin1").at(-1)).toContain("; stream live/cup stands still");
    expect(rowOf(out, "ams1").at(-1)).toContain("; 12 streams stand still: a, b, c and 9 more");
    expect((await edgeward(["edges", "sin1", "--server", url])).out).toContain(
      "stream live/cup stands still",
    );
  });

  it("lines its columns up, numbers to the right", async () => {
    const { url } = await startFakeOps({ "GET /v1/edges": [200, [AMS1, { ...SIN1, id: "東京-long-name" }]] });
    const { out } = await edgeward(["edges", "--server", url]);
    const [titles = "", ams1 = "", tokyo = ""] = out.split("\n");
    expect(ams1.indexOf("active")).toBe(titles.indexOf("STATE"));
    expect(tokyo.indexOf("drain")).toBe(titles.indexOf("STATE") - 2); // two characters of two columns each
    const end = titles.indexOf("PRICE km") + "PRICE km".length;
    expect(ams1.slice(0, end)).toMatch(/ 312$/);
  });

  it("shows everything of one", async () => {
    const { url } = await startFakeOps({
      "GET /v1/edges/sin1": [200, { ...SIN1, stateOrigin: UNTIL } satisfies EdgeView],
    });
    const { code, out } = await edgeward(["edges", "sin1", "--server", url]);
    expect(code).toBe(0);
    expect(rowOf(out, "state")).toEqual(["state", "drain"]);
    expect(out).toMatch(/by alice 5m ago: disk swap, until 20\d\d-\d\d-\d\d \d\d:\d\d/);
    expect(rowOf(out, "IPv4")[1]).toMatch(/^unknown for 0s, since 20/);
    expect(rowOf(out, "viewers")).toEqual(["viewers", "-"]);
    expect(rowOf(out, "weight")).toEqual(["weight", "2"]);
    expect(rowOf(out, "addresses")).toEqual(["addresses", "192.0.2.12"]);
    expect(rowOf(out, "location")).toEqual(["location", "1.3521, 103.8198"]);
  });

  const UNTIL = {
    kind: "operator",
    by: "alice",
    reason: "disk swap",
    atMs: NOW_MS - 5 * 60_000,
    untilMs: NOW_MS + 3_600_000,
  } as const;

  it("prints what the service sent with -o json", async () => {
    const { url } = await startFakeOps({
      "GET /v1/edges": [200, [AMS1, SIN1]],
      "GET /v1/edges/ams1": [200, AMS1],
    });
    expect(JSON.parse((await edgeward(["edges", "-o", "json", "--server", url])).out)).toEqual([AMS1, SIN1]);
    expect(JSON.parse((await edgeward(["edges", "ams1", "-o", "json", "--server", url])).out)).toEqual(AMS1);
  });

  it("tells what is kept of edges that are not configured any more, and not in JSON", async () => {
    const { url } = await startFakeOps({
      "GET /v1/edges": [200, [AMS1]],
      "GET /v1/status": [
        200,
        {
          absentEdges: [
            { id: "old1", state: "drain", stateOrigin: UNTIL, forgottenAtMs: NOW_MS + 3 * 86_400_000 },
          ],
        },
      ],
    });
    const { code, out } = await edgeward(["edges", "--server", url]);
    expect(code).toBe(0);
    expect(out).toMatch(
      /\nold1 is not configured any more; if it comes back: drain, by alice 5m ago: disk swap, until .+; forgotten in 3d, or by edgeward undrain old1\n$/,
    );
    expect(JSON.parse((await edgeward(["edges", "-o", "json", "--server", url])).out)).toEqual([AMS1]);
  });

  it("suggests the edge that was meant, or lists those there are", async () => {
    const { url } = await startFakeOps({
      "GET /v1/edges/asm1": UNKNOWN_EDGE,
      "GET /v1/edges/xyzzy": UNKNOWN_EDGE,
      "GET /v1/edges": [200, [AMS1, SIN1]],
    });
    const near = await edgeward(["edges", "asm1", "--server", url]);
    expect(near).toEqual({ code: 1, out: "", err: "edgeward: no edge is called asm1; did you mean ams1?\n" });
    const far = await edgeward(["edges", "xyzzy", "--server", url]);
    expect(far.err).toBe("edgeward: no edge is called xyzzy; there are ams1, sin1\n");
  });
});
