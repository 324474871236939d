import { z } from "zod";
import { readJsonPath } from "./json-path.ts";
import { decimal, secret, textLeaf } from "./leaf.ts";
import { url } from "./leaf-network.ts";
import { duration } from "./leaf-quantity.ts";
import { asWritten, oneOrMany, typeError } from "./variants.ts";

/** Types of the contract that are still to come. */
const planned = [
  "mistserver",
  "nimble",
  "wowza",
  "flashphoner",
  "nginx-rtmp",
  "nginx-stub-status",
  "nginx-vts",
  "srs",
  "ant-media",
  "ovenmediaengine",
  "varnish",
  "haproxy",
  "apache",
  "node-exporter",
  "astats",
];

const ageing = {
  staleAfter: duration({ min: "1s", max: "24h" })
    .describe("A report older than this is unknown again.")
    .prefault("30s"),
};

/** What every source has that we ask, rather than being told. */
const pulling = {
  ...ageing,
  url: url().describe("Where the server tells its load."),
  interval: duration({ min: "100ms", max: "1h" }).describe("Time between two readings.").prefault("5s"),
  timeout: duration({ min: "10ms", max: "1m" })
    .describe("A reading that takes longer failed.")
    .prefault("2s"),
};

const basicAuthentication = {
  username: secret("a text").describe("For HTTP authentication.").optional(),
  password: secret("a text").describe("For HTTP authentication; best from a variable.").optional(),
};

const pushLoad = z.strictObject({
  type: z.literal("push").describe("The edge, or an agent on it, sends reports to the operators' door."),
  ...ageing,
});

const path = textLeaf(
  { noun: "a path", hint: "write it as connections.active", json: { type: "string" } },
  readJsonPath,
);

const field = z
  .union([path, z.strictObject({ path, factor: decimal({ min: 1e-12, max: 1e12 }).prefault(1) })])
  .optional();

const jsonLoad = z.strictObject({
  type: z.literal("json").describe("Any JSON document."),
  ...pulling,
  ...basicAuthentication,
  fields: z
    .strictObject({
      viewers: field.describe("Viewers now."),
      bandwidth: field.describe("Bits per second out; with a factor if the server counts otherwise."),
      cpu: field.describe("0..1"),
      memory: field.describe("0..1"),
      streams: field.describe("Names of the streams."),
    })
    .describe("Where each field stands in the document: a path, or { path, factor }."),
});

export const loadVariants = [pushLoad, jsonLoad] as const;

/** One load source with the defaults merged in. */
const loadSourceSchema = z.discriminatedUnion("type", loadVariants, typeError("load", loadVariants, planned));

/** One source, or a list of which the first that knows a field wins. */
export const loadSchema = oneOrMany(loadSourceSchema);

/** A load as it stands in the file. */
export const writtenLoadSchema = oneOrMany(asWritten("load", loadVariants, planned)).describe(
  "How the edge's load becomes known: one source or a list; merged over the load of defaults.",
);

export type LoadSourceInput = z.infer<typeof loadSourceSchema>;
