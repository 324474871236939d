import { z } from "zod";
import { flag, integer, leaf, text, textLeaf } from "./leaf.ts";
import { url } from "./leaf-network.ts";
import { duration } from "./leaf-quantity.ts";
import { read } from "./reading.ts";
import { asWritten, oneOrMany, typeError } from "./variants.ts";

/** Types of the contract that are still to come. */
const planned = ["rtmp", "websocket", "hls", "dns"];

const timing = {
  interval: duration({ min: "100ms", max: "1h" }).describe("Time between two probes.").prefault("2s"),
  timeout: duration({ min: "10ms", max: "1m" }).describe("A probe that takes longer failed.").prefault("1s"),
  rise: integer({ min: 1, max: 10 }).describe("Successes in a row that bring an address up.").prefault(3),
  fall: integer({ min: 1, max: 10 }).describe("Failures in a row that bring an address down.").prefault(2),
};

const port = integer({ min: 1, max: 65_535 });

const httpProbe = z.strictObject({
  type: z.literal("http").describe("An HTTP request at each address of the edge."),
  ...timing,
  path: requestPath().describe("Path and query, behind the edge's url.").optional(),
  url: url().describe("A whole URL, in place of the edge's url and path.").optional(),
  port: port.describe("In place of the url's port.").optional(),
  host: text("a host", "write it as edge.example.net")
    .describe("The Host header, and the name that the certificate must carry; default: the url's host.")
    .optional(),
  status: oneOrMany(status()).describe("Status codes that count as success.").prefault("2xx"),
  body: text("a text", "write what the body must contain")
    .describe("Text that the first 64 KiB of the body must contain.")
    .optional(),
  tls: z
    .strictObject({ verify: flag().describe("Whether the certificate must be valid.").prefault(true) })
    .prefault({}),
});

const tcpProbe = z.strictObject({
  type: z.literal("tcp").describe("A TCP connection to each address of the edge."),
  ...timing,
  port: port.describe("The port to connect to."),
});

const noProbe = z.strictObject({
  type: z.literal("none").describe("Never probed: always taken to be up."),
  ...timing,
});

export const probeVariants = [httpProbe, tcpProbe, noProbe] as const;

/** A probe with the defaults merged in. */
export const probeSchema = z.discriminatedUnion(
  "type",
  probeVariants,
  typeError("probe", probeVariants, planned),
);

/** A probe as it stands in the file. */
export const writtenProbeSchema = asWritten("probe", probeVariants, planned).describe(
  "How the edge is checked; merged over the probe of defaults.",
);

export type ProbeInput = z.infer<typeof probeSchema>;

function requestPath() {
  const json = { type: "string", pattern: "^/" };
  return textLeaf({ noun: "a path", hint: "write it as /health", json }, (value) =>
    /^\/[\u0021-\u0022\u0024-\u007e]*$/.test(value) ? read(value) : undefined,
  );
}

/** One code, or a class of a hundred as `2xx`; a list of codes. */
function status() {
  const json = {
    anyOf: [{ type: "integer", minimum: 100, maximum: 599 }, { enum: ["1xx", "2xx", "3xx", "4xx", "5xx"] }],
  };
  return leaf({ noun: "a status", hint: "write a code as 200, or a class as 2xx", json }, (value) => {
    const match = /^([1-5])(\d\d|xx)$/.exec(String(value));
    if (match === null) return undefined;
    const first = Number(match[1]) * 100;
    return read(match[2] === "xx" ? Array.from({ length: 100 }, (_, i) => first + i) : [Number(value)]);
  });
}
