import { z } from "zod";
import { integer, oneOf, textLeaf } from "./leaf.ts";
import { duration } from "./leaf-quantity.ts";
import { read, refuse } from "./reading.ts";
import { tlsCheck } from "./schema-probe.ts";

/** How a service checks its active streams at each of its edges. */
export const streamsSchema = z.strictObject({
  probe: oneOf("hls").describe("How a stream is checked."),
  path: streamPath().describe("Of the stream's playlist, behind the edge's url; {stream} is replaced."),
  interval: duration({ min: "1s", max: "1h" })
    .describe("Time between two checks of a stream at an edge; longer where perSecond is not enough.")
    .prefault("10s"),
  timeout: duration({ min: "10ms", max: "1m" })
    .describe(
      "A check that takes longer says nothing of the stream; default: 2s, or the interval where that is shorter.",
    )
    .optional(),
  rise: integer({ min: 1, max: 10 }).describe("Good checks in a row that make it fresh again.").prefault(1),
  fall: integer({ min: 1, max: 10 }).describe("Bad checks in a row that make it stale.").prefault(1),
  perSecond: integer({ min: 1, max: 1000 })
    .describe("The most checks of this service that start in a second.")
    .prefault(50),
  tls: tlsCheck.prefault({}),
});

export type StreamsInput = z.infer<typeof streamsSchema>;

export function streamPath() {
  const json = { type: "string", pattern: "^/.*\\{stream\\}" };
  const words = { noun: "a path", hint: "write it as /{stream}/index.m3u8", json };
  return textLeaf(words, (value) => {
    if (!/^\/[\u0021-\u0022\u0024-\u007e]*$/.test(value)) return undefined;
    return value.includes("{stream}")
      ? read(value)
      : refuse("does not name the stream; put {stream} into it");
  });
}
