import { z } from "zod";
import { flag, oneOf, secret, textLeaf } from "./leaf.ts";
import { duration } from "./leaf-quantity.ts";
import { read } from "./reading.ts";

const key = z.strictObject({
  id: textLeaf(
    {
      noun: "a key's id",
      hint: "write letters, digits, ., - and _, as k2",
      json: { type: "string", pattern: "^[A-Za-z0-9._-]{1,32}$" },
    },
    (text) => (/^[\w.-]{1,32}$/.test(text) ? read(text) : undefined),
  )
    .describe("Named in the signature, so that an edge knows which key to check with.")
    .optional(),
  secret: secret("a key of 8 characters or more", /^[\u0020-\u007e]{8,}$/).describe(
    "Known to the edges too; best from a variable.",
  ),
  from: timestamp()
    .describe("Used from then on, as 2030-01-31T18:00:00Z; left out: from the start.")
    .optional(),
});

/** How redirects are signed. */
export const signSchema = z.strictObject({
  scheme: oneOf("secure-link", "wmsauth", "hmac").describe(
    "secure-link: nginx; wmsauth: Nimble and Wowza; hmac: HMAC-SHA256, anything that can compute one.",
  ),
  keys: z
    .array(key)
    .min(1, { error: "an empty list; give at least one key" })
    .describe("The one that began last signs; edges are to know the next one before it begins."),
  ttl: duration({ min: "10s", max: "24h" }).describe("How long a signature is good for.").prefault("5m"),
  over: oneOf("path", "folder")
    .describe("path: this address alone; folder: everything beside it, as the segments of a playlist.")
    .prefault("path"),
  address: flag().describe("Only for the viewer's address; not for viewers who change it.").prefault(false),
});

export type SignInput = z.infer<typeof signSchema>;

function timestamp() {
  const hint = "write it as 2030-01-31T18:00:00Z";
  return textLeaf({ noun: "a time", hint, json: { type: "string", format: "date-time" } }, (text) => {
    const isTime = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)$/.test(text);
    return isTime && !Number.isNaN(Date.parse(text)) ? read(Date.parse(text)) : undefined;
  });
}
