import { z } from "zod";
import { oneOf, text, textLeaf } from "./leaf.ts";
import { hostname } from "./leaf-network.ts";
import { ttl } from "./leaf-quantity.ts";
import { read } from "./reading.ts";
import { recordTypes } from "./record-data.ts";

const contact = textLeaf(
  {
    noun: "a mail address",
    hint: "write it as hostmaster@example.net",
    json: { type: "string", pattern: "^[^@\\s]+@[^@\\s]+$" },
  },
  (value) => (/^[A-Za-z0-9._+-]{1,63}@[A-Za-z0-9.-]{1,253}$/.test(value) ? read(value) : undefined),
);

const record = z.strictObject({
  name: text("a name", "write it relative to the zone, @ for the zone itself, or absolute with a final dot"),
  type: oneOf(...recordTypes),
  ttl: ttl().describe("Default: the zone's ttl.").optional(),
  data: text("a record's data", "write it in presentation form, in quotes").describe(
    "In presentation form; names without a final dot are completed with the zone.",
  ),
});

export const zoneSchema = z.strictObject({
  nameservers: z
    .array(hostname())
    .min(1, { error: "an empty list; name at least one nameserver" })
    .describe("Whole names; the first is the SOA's MNAME."),
  contact: contact.describe("Who answers for the zone: the SOA's RNAME, as a mail address."),
  ttl: ttl().describe("Of the zone's own records.").prefault("1h"),
  negativeTtl: ttl().describe("SOA MINIMUM: how long a no is cached.").prefault("30s"),
  records: z.array(record.optional()).describe("Static records.").prefault([]),
});

export type ZoneInput = z.infer<typeof zoneSchema>;
export type RecordInput = z.infer<typeof record>;
