import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { loadVariants } from "../../src/config/schema-load.ts";
import { inventoryOf } from "./support.ts";

/** What operators copy from docs/servers/ must be right. */
const folder = new URL("../../docs/servers/", import.meta.url);
const pages = readdirSync(folder).filter((name) => name !== "README.md");
const textOf = (page: string) => readFileSync(new URL(page, folder), "utf8");

const environment = Object.fromEntries(
  pages.flatMap((page) => [...textOf(page).matchAll(/\$\{(\w+)\}/g)].map(([, name]) => [name, "a-secret"])),
);

async function typesOn(page: string): Promise<string[]> {
  const blocks = [...textOf(page).matchAll(/```yaml\n(.*?)```/gs)].map(([, block]) => block ?? "");
  const edges = blocks.map((block, i) => {
    const indented = block.trimEnd().replaceAll("\n", "\n    ");
    return `  e${i}:\n    location: { latitude: 1, longitude: 2 }\n    addresses: [192.0.2.1]\n    ${indented}\n`;
  });
  const text = `listen: { http: ["127.0.0.1:8080"] }\nedges:\n${edges.join("")}`;
  const inventory = await inventoryOf(text, environment);
  return inventory.edges.flatMap(({ load }) => load.map(({ type }) => type));
}

describe("the page of a server", () => {
  it.each(pages)("%s shows configurations that load", async (page) => {
    expect((await typesOn(page)).length).toBeGreaterThan(0);
    expect(readFileSync(new URL("README.md", folder), "utf8")).toContain(`(${page})`);
  });

  it("is there for every type", async () => {
    const types = new Set((await Promise.all(pages.map(typesOn))).flat());
    const known = loadVariants.map(({ shape }) => shape.type.value);
    expect([...types, "push"].sort()).toEqual([...known].sort());
  });
});
