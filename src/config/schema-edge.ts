import { z } from "zod";
import { decimal, integer, oneOf, text } from "./leaf.ts";
import { address, baseUrl, schemedUrl } from "./leaf-network.ts";
import { bitRate, duration } from "./leaf-quantity.ts";
import { loadSchema, writtenLoadSchema } from "./schema-load.ts";
import { viewerRule } from "./schema-rule.ts";
import { probeSchema, writtenProbeSchema } from "./schema-probe.ts";

/** Edges and services are named in URLs, metrics and commands. */
export function id() {
  return z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$/, {
    error: "not a usable id; write letters, digits, - and _, at most 63, starting with a letter or digit",
  });
}

export const latitude = decimal({ min: -90, max: 90 }).describe("Degrees north.");
export const longitude = decimal({ min: -180, max: 180 }).describe("Degrees east.");

const location = z.strictObject(
  { latitude, longitude },
  {
    error: ({ input }) =>
      input === undefined ? "missing; write { latitude: 52.37, longitude: 4.9 }" : undefined,
  },
);

const capacity = z.strictObject({
  viewers: integer({ min: 1, max: 1e9 }).describe("Viewers at the same time.").optional(),
  bandwidth: bitRate().describe("Bits per second out.").optional(),
  cpu: decimal({ min: 0.01, max: 1 })
    .describe("Share of its processors at which the edge is full; 0.95 if left out.")
    .optional(),
  memory: decimal({ min: 0.01, max: 1 })
    .describe("Share of its memory at which the edge is full; 0.98 if left out.")
    .optional(),
});

const ownKeys = {
  addresses: z.array(address()).describe("What DNS answers; IPv4 and IPv6, any number.").prefault([]),
  url: baseUrl().describe("What HTTP redirects to: origin and optional path prefix.").optional(),
  urls: z
    .record(z.string(), schemedUrl())
    .describe(
      "Other addresses by a word, as wss: told to who asks the HTTP door for JSON, with the path behind.",
    )
    .optional(),
  tags: z
    .array(text("a tag", "write a word"))
    .describe("Words by which services choose their edges.")
    .prefault([]),
  weight: decimal({ min: 0, max: 1_000_000 }).describe("Share of viewers among equals.").prefault(1),
  rampUp: duration({ min: "0s", max: "1h" })
    .describe("Time over which it takes up load again when it comes back; 60s if left out.")
    .optional(),
  preferredFor: viewerRule
    .describe(
      "Viewers for whom it comes before all others while it has room, as those of the ISP it stands in.",
    )
    .optional(),
  state: oneOf("active", "drain", "off")
    .describe("active: serve; drain: keep what it has, take no one new; off: out of service.")
    .prefault("active"),
};

/** An edge with the defaults merged in. */
export const edgeSchema = z.strictObject({
  location,
  ...ownKeys,
  capacity: capacity.prefault({}),
  probe: probeSchema.prefault({ type: "none" }),
  load: loadSchema.optional(),
});

/** An edge, or the defaults of all, as it stands in the file: whatever the other gives may be left out. */
export const writtenEdgeSchema = z.strictObject({
  location: location.partial().describe("Where the edge stands.").optional(),
  ...z.strictObject(ownKeys).partial().shape,
  capacity: capacity.describe("What the edge can carry; what is left out is unlimited.").optional(),
  probe: writtenProbeSchema.optional(),
  load: writtenLoadSchema.optional(),
});

export type EdgeInput = z.infer<typeof edgeSchema>;
