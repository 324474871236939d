import { z } from "zod";
import { MAX_NAME_LENGTH } from "../base/domain-name.ts";
import { oneOf, text, textLeaf } from "./leaf.ts";
import { hostname } from "./leaf-network.ts";
import { ttl } from "./leaf-quantity.ts";
import { readDomainName } from "./names.ts";
import { type Reading, read, refuse } from "./reading.ts";
import { recordTypes } from "./record-data.ts";

const contact = textLeaf(
  {
    noun: "a mail address",
    hint: "write it as hostmaster@example.net",
    json: { type: "string", pattern: "^[^@\\s]+@[^@\\s]+$" },
  },
  readContact,
);

/** What is before the @ becomes one label of the SOA's RNAME (RFC 1035 8), so that all of it has to be a name. */
function readContact(text: string): Reading<string> | undefined {
  const [, mailbox, domain] = /^([A-Za-z0-9._+-]{1,63})@([A-Za-z0-9.-]+)$/.exec(text) ?? [];
  if (mailbox === undefined || domain === undefined) return undefined;
  const name = readDomainName(domain);
  if (name.kind === "refused") return refuse(`has a domain that ${name.message}`);
  const length = mailbox.length + 1 + name.value.length;
  if (length > MAX_NAME_LENGTH)
    return refuse(`is ${length} octets long; as a name in the SOA it has at most ${MAX_NAME_LENGTH}`);
  return read(`${mailbox}@${name.value}`);
}

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
