import { expect, it } from "vitest";
import { createReadiness, type ReadinessSources } from "../../src/control/readiness.ts";
import { plainInventory } from "../inventory.ts";
import { AMSTERDAM, NEW_YORK, serviceOf, worldOf } from "../selection/fixture.ts";

const EDGES = [AMSTERDAM, NEW_YORK];
const inventory = plainInventory({ edges: EDGES, services: [serviceOf(EDGES)] });

function readinessOf(sources: Partial<ReadinessSources> = {}) {
  return createReadiness({
    inventory: () => inventory,
    worlds: { current: () => worldOf(EDGES) },
    failStatic: { alarms: () => [] },
    reloads: { last: () => ({ successful: true, atMs: 0, problems: [] }) },
    geo: { databases: () => [] },
    certificates: () => [],
    saved: { areSaved: () => true },
    waitingFor: () => [],
    ...sources,
  })();
}

const allDown = { current: () => worldOf(EDGES, { down: EDGES }) };

it("has no alarm where all is well", () => {
  expect(readinessOf()).toEqual({ ready: true, reasons: [], alarms: [] });
});

it("says what the doors wait for, and of services nothing before it is known", () => {
  const waitingFor = () => ["the first round of probes is not complete"];
  expect(readinessOf({ worlds: allDown, waitingFor })).toEqual({
    ready: false,
    reasons: ["the first round of probes is not complete"],
    alarms: [],
  });
  expect(readinessOf({ worlds: allDown }).alarms).toEqual([
    "service live: every edge is down; viewers are answered as if all were up (whenDown: fail-open)",
  ]);
});

it("tells of everything that an operator should look at", () => {
  const alarm = { service: "live", family: 4, sinceMs: 0, edges: ["ams1"], isCanarySilent: false } as const;
  const problems = [{ file: "/e.yaml", line: 1, column: 1, path: "edges", message: "a secret" }];
  const { ready, alarms } = readinessOf({
    failStatic: {
      alarms: () => [alarm, { ...alarm, family: 6, edges: ["ams1", "nyc1"], isCanarySilent: true }],
    },
    reloads: { last: () => ({ successful: false, atMs: 0, problems }) },
    geo: {
      databases: () => [{ path: "/geo/city.mmdb", role: "city", flaw: { reason: "absent", detail: "" } }],
    },
    certificates: () => [{ file: "/tls/live.pem", expiresMs: 0, isLatest: true }],
    saved: { areSaved: () => false },
  });
  expect(ready).toBe(true);
  expect(alarms).toEqual([
    "fail static: 1 edge of service live went down at once over IPv4; the last good state is kept",
    "fail static: 2 edges of service live went down at once over IPv6; the last good state is kept" +
      "; nor does the canary answer: look at this server's own network",
    "the configuration as it is now is refused, an older one holds: edgeward reload says why",
    expect.stringContaining("GeoIP database city.mmdb"),
    "certificate live.pem has expired: viewers cannot connect by HTTPS",
    "drains cannot be written to the state file, and a restart would forget them: the log says why",
  ]);
});
