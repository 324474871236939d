import { expect, it } from "vitest";
import { withCompiledNames } from "../../src/control/compiled-names.ts";
import type { LoadedConfig } from "../../src/config/load.ts";
import type { Inventory } from "../../src/model/inventory.ts";
import { createReloads } from "../../src/control/reloads.ts";
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
  });
  expect(await reloads.reload()).toMatchObject({ kind: "refused" });
  expect(taken).toEqual([]);
});
