import { readdirSync, readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { parse, stringify } from "yaml";
import { loadAgent } from "../../src/config/agent.ts";
import { certificate, privateKey } from "../probe/certificates.ts";
import { folderWith, loadText } from "./support.ts";

/** What operators copy from the pages must be right; those of media servers are in server-pages.test.ts. */
const root = new URL("../../", import.meta.url);
const textOf = (page: string): string => readFileSync(new URL(page, root), "utf8");
const pages = [
  "README.md",
  "geoip/README.md",
  ...readdirSync(new URL("docs/", root))
    .filter((name) => name.endsWith(".md"))
    .map((name) => `docs/${name}`),
];

const snippets = pages.flatMap((page) =>
  [...textOf(page).matchAll(/^( *)```yaml\n(.*?)^\1```/gms)].map(([, , text = ""], i) => ({
    page,
    number: i + 1,
    text,
    content: parse(text) as Tree,
  })),
);
const isOfAgent = ({ content }: (typeof snippets)[number]): boolean => "edge" in content;
/** Rules for Prometheus are a list. */
const configurations = snippets.filter((snippet) => !Array.isArray(snippet.content) && !isOfAgent(snippet));

const environment = Object.fromEntries(
  snippets.flatMap(({ text }) =>
    [...text.matchAll(/\$\{(\w+)\}/g)].map(([, name = ""]) => [
      name,
      "0123456789abcdef".repeat(name.endsWith("SHA256") ? 4 : 2),
    ]),
  ),
);

const files = Object.fromEntries(
  ["live", "wildcard"].flatMap((name) => [
    [`tls/${name}.crt`, certificate],
    [`tls/${name}.key`, privateKey],
  ]),
);

/** Some show a part of a service alone. */
function placed(content: Tree): Tree {
  if ("keys" in content) return placed({ http: { sign: { scheme: "hmac", ttl: "5m", ...content } } });
  return "http" in content ? { services: { live: content } } : content;
}

interface Tree {
  readonly [key: string]: unknown;
}
const isTree = (value: unknown): value is Tree =>
  typeof value === "object" && value !== null && !Array.isArray(value);

function merged(below: Tree, above: Tree): Tree {
  const entries = Object.entries(above).map(([key, value]) => {
    const under = below[key];
    return [key, isTree(under) && isTree(value) ? merged(under, value) : value] as const;
  });
  return { ...below, ...Object.fromEntries(entries) };
}

it.each(configurations)(
  "the configuration $number of $page is taken, beside the reference",
  async (snippet) => {
    const reference = parse(textOf("config/edgeward.yaml")) as Tree;
    const loaded = await loadText(stringify(merged(reference, placed(snippet.content))), environment, files);
    expect(loaded.kind === "problems" ? loaded.problems : []).toEqual([]);
  },
);

it.each(snippets.filter(isOfAgent))("the agent's file $number of $page is taken", async ({ text }) => {
  const folder = await folderWith({ "agent.yaml": text });
  expect(await loadAgent(`${folder}/agent.yaml`, environment)).toMatchObject({ kind: "ok" });
});
