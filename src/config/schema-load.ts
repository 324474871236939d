import { z } from "zod";
import { readJsonPath } from "./json-path.ts";
import { decimal, flag, secret, text, textLeaf } from "./leaf.ts";
import { url } from "./leaf-network.ts";
import { duration } from "./leaf-quantity.ts";
import { asWritten, oneOrMany, typeError } from "./variants.ts";

const ageing = {
  staleAfter: duration({ min: "1s", max: "24h" })
    .describe("A report older than this is unknown again.")
    .prefault("30s"),
};

/** What every source has that we ask, rather than being told. */
const pulling = {
  ...ageing,
  url: url().describe("Where the server tells its load; its usual port and path may be left out."),
  interval: duration({ min: "100ms", max: "1h" }).describe("Time between two readings.").prefault("5s"),
  timeout: duration({ min: "10ms", max: "1m" })
    .describe("A reading that takes longer failed; default: 2s, or the interval where that is shorter.")
    .optional(),
};

const credentials = {
  username: secret("a text").describe("For HTTP authentication.").optional(),
  password: secret("a text").describe("For HTTP authentication; best from a variable.").optional(),
};

const token = secret("a token").optional();

const pushLoad = z.strictObject({
  type: z.literal("push").describe("The edge, or an agent on it, sends reports to the operators' door."),
  ...ageing,
});

const mistServerLoad = z.strictObject({
  type: z.literal("mistserver").describe("MistServer's controller."),
  ...pulling,
  passphrase: secret("a passphrase").describe("Of its Prometheus output."),
});

const nimbleLoad = z.strictObject({
  type: z.literal("nimble").describe("Nimble Streamer's native API."),
  ...pulling,
  token: token.describe("management_token; left out where the server asks for none."),
});

const wowzaLoad = z.strictObject({
  type: z.literal("wowza").describe("Wowza's connection counts (port 8086), or its REST interface (8087)."),
  ...pulling,
  ...credentials,
  application: name("an application")
    .describe("Of the REST interface, whose viewers and streams; left out: of the whole virtual host.")
    .optional(),
});

const antMediaLoad = z.strictObject({
  type: z.literal("ant-media").describe("Ant Media Server's console API."),
  ...pulling,
  ...credentials,
  token: token.describe("JSON web token of the server; better than username and password."),
  application: name("an application").describe("Whose streams are listed.").optional(),
});

const ovenMediaEngineLoad = z.strictObject({
  type: z.literal("ovenmediaengine").describe("OvenMediaEngine's API."),
  ...pulling,
  token: token.describe("Its AccessToken."),
  application: name("an application").describe("Whose streams are listed: APP, or VHOST/APP.").optional(),
});

const networkInterface = name("a network interface");

const nodeExporterLoad = z.strictObject({
  type: z.literal("node-exporter").describe("Prometheus node_exporter: CPU, memory and bandwidth."),
  ...pulling,
  ...credentials,
  interface: networkInterface.describe("Whose bandwidth; left out: of all that are not virtual.").optional(),
});

const astatsLoad = z.strictObject({
  type: z.literal("astats").describe("Apache Traffic Server's astats plugin."),
  ...pulling,
  ...credentials,
  interface: networkInterface.describe("Whose bandwidth.").optional(),
  application: name("a filter")
    .describe("Which figures are asked for, as parts of their names with ; between them.")
    .optional(),
});

/** Servers that need nothing but their address and, where their operators want them, credentials. */
const statusLoads = [
  statusLoad("flashphoner", "Flashphoner WCS."),
  statusLoad("nginx-rtmp", "rtmp_stat of nginx-rtmp-module: RTMP viewers, no others."),
  statusLoad("nginx-stub-status", "nginx's stub_status: connections."),
  statusLoad("nginx-vts", "nginx-module-vts, Angie's API, or NGINX Plus with a url that ends in /api/9."),
  statusLoad("srs", "SRS's HTTP API."),
  statusLoad("varnish", "prometheus_varnish_exporter, or varnishstat -1 -j behind a web server."),
  statusLoad("haproxy", "HAProxy's statistics as CSV, or its Prometheus exporter."),
  statusLoad("apache", "Apache's mod_status."),
] as const;

const path = textLeaf(
  { noun: "a path", hint: "write it as connections.active", json: { type: "string" } },
  readJsonPath,
);

const countedField = z.strictObject({
  path,
  factor: decimal({ min: 1e-12, max: 1e12 }).prefault(1),
  counter: flag().describe("It counts since the server's start: its rate per second is taken.").optional(),
});

const field = z.union([path, countedField]).optional();

const jsonLoad = z.strictObject({
  type: z.literal("json").describe("Any JSON document."),
  ...pulling,
  ...credentials,
  fields: z
    .strictObject({
      viewers: field.describe("Viewers now."),
      bandwidth: field.describe("Bits per second out; with a factor if the server counts otherwise."),
      cpu: field.describe("0..1"),
      memory: field.describe("0..1"),
      streams: field.describe("Names of the streams."),
    })
    .describe("Where each field stands in the document: a path, or { path, factor, counter }."),
});

export const loadVariants = [
  pushLoad,
  mistServerLoad,
  nimbleLoad,
  wowzaLoad,
  ...statusLoads,
  antMediaLoad,
  ovenMediaEngineLoad,
  nodeExporterLoad,
  astatsLoad,
  jsonLoad,
] as const;

/** One load source with the defaults merged in. */
const loadSourceSchema = z.discriminatedUnion("type", loadVariants, typeError("load", loadVariants, []));

/** One source, or a list of which the first that knows a field wins. */
export const loadSchema = oneOrMany(loadSourceSchema);

/** A load as it stands in the file. */
export const writtenLoadSchema = oneOrMany(asWritten("load", loadVariants, [])).describe(
  "How the edge's load becomes known: one source or a list; merged over the load of defaults.",
);

export type LoadSourceInput = z.infer<typeof loadSourceSchema>;

function statusLoad<const T extends string>(type: T, description: string) {
  return z.strictObject({ type: z.literal(type).describe(description), ...pulling, ...credentials });
}

function name(noun: string) {
  return text(noun, "write its name");
}
