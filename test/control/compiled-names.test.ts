import fc from "fast-check";
import { expect, it } from "vitest";
import { withCompiledNames } from "../../src/control/compiled-names.ts";
import type { LoadedConfig } from "../../src/config/load.ts";
import type { Inventory } from "../../src/model/inventory.ts";
import { createReloads } from "../../src/control/reloads.ts";
import { loadText } from "../config/support.ts";
import { plainInventory, plainService, plainZone } from "../inventory.ts";

const ZONE = "example.net";
const loaded = (rules: Partial<Inventory>): LoadedConfig => ({
  kind: "ok",
  inventory: plainInventory(rules),
  files: [],
  digest: "digest",
});
const RIGHT = loaded({ zones: [plainZone(ZONE)], services: [plainService()] });
const LONG = "x".repeat(64);
const WRONG: readonly (readonly [string, LoadedConfig, string])[] = [
  [
    "a hostname outside of every zone",
    loaded({ services: [plainService()] }),
    "no zone holds live.example.net",
  ],
  [
    "a zone whose label is too long",
    loaded({ zones: [plainZone(LONG)] }),
    `${LONG} has a label of 64 octets`,
  ],
  [
    "a nameserver whose name is too long",
    loaded({ zones: [plainZone(ZONE, { nameservers: [`${"y.".repeat(130)}net`] })] }),
    "is a name of 265 octets",
  ],
];

/** As long, of labels as long as they may be. */
function nameOf(length: number, suffix = ZONE): string {
  let name = suffix;
  while (length - name.length > 1) name = `${"z".repeat(Math.min(63, length - name.length - 1))}.${name}`;
  return name;
}

it("finds nothing wrong with what the checks let through, however long names are", async () => {
  let right = 0;
  const length = fc.integer({ min: 230, max: 255 });
  const name = fc.oneof(
    length.map((octets) => nameOf(octets)),
    length.map((octets) => `*.${nameOf(octets - 2)}`),
  );
  const text = fc.record({ hostname: name, owner: name, nameserver: name, zone: fc.option(length) }).map(
    ({ hostname, owner, nameserver, zone }) => `
listen: { dns: ["127.0.0.1:8053"] }
zones:
  ${ZONE}:
    nameservers: ["${nameserver.replace("*.", "")}"]
    contact: "a@${nameserver.slice(4)}"
    records: [{ name: "${owner}.", type: MX, data: "1 ${owner.replace("*.", "")}." }]
${zone === null ? "" : `  ${nameOf(zone, "org")}: { nameservers: [a.b], contact: a@b.c }`}
edges: { a: { location: { latitude: 1, longitude: 2 }, addresses: [192.0.2.1] } }
services:
  a:
    hostnames: ["${hostname}", short.${ZONE}]
    dns: { https: { originPorts: [8443] }, svcb: { _dns: {}, _53._dns: {} } }
`,
  );
  await fc.assert(
    fc.asyncProperty(text, async (configuration) => {
      const verdict = await withCompiledNames(await loadText(configuration));
      if (verdict.kind === "ok") right++;
      else expect(verdict.problems.map(({ path }) => path)).not.toContain("zones");
    }),
    { numRuns: 300 },
  );
  expect(right).toBeGreaterThan(20);
}, 120_000);

it("leaves what can be compiled, and what is refused already, as it is", async () => {
  expect(await withCompiledNames(RIGHT)).toBe(RIGHT);
  const refused: LoadedConfig = { kind: "problems", problems: [], digest: "digest" };
  expect(await withCompiledNames(refused)).toBe(refused);
});

it.each(WRONG)("refuses %s, and says which", async (_what, wrong, reason) => {
  const verdict = await withCompiledNames(wrong);
  expect(verdict).toMatchObject({
    kind: "problems",
    problems: [{ file: "/none", path: "zones", message: expect.stringContaining(reason) }],
    digest: "digest",
  });
});

it.each(WRONG)("keeps the running configuration at a reload with %s", async (_what, wrong) => {
  const taken: Inventory[] = [];
  const reloads = createReloads({
    log: { info() {}, warn() {}, error() {} },
    load: () => withCompiledNames(wrong),
    digest: async () => "digest",
    current: () => plainInventory(),
    prepare: async () => {},
    settle: [],
    take: (next) => void taken.push(next),
    told() {},
    stopped: new AbortController().signal,
  });
  expect(await reloads.reload()).toMatchObject({ kind: "refused" });
  expect(taken).toEqual([]);
});
