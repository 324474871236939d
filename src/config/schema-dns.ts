import { z } from "zod";
import type { DnsSettings } from "../model/dns-settings.ts";
import { textLeaf } from "./leaf.ts";
import { read } from "./reading.ts";

/** What a server says of itself: one character-string, short, as it goes out to whoever asks. */
const ownWords = textLeaf(
  {
    noun: "a text for the DNS",
    hint: "write 1 to 63 characters of ASCII",
    json: { type: "string", pattern: "^[ -~]{1,63}$" },
  },
  (value) => (/^[ -~]{1,63}$/.test(value) ? read(value) : undefined),
);

export const dnsSchema = z.strictObject({
  identity: ownWords
    .describe(
      "Which server this is: id.server, hostname.bind (RFC 4892) and NSID (RFC 5001); left out: untold.",
    )
    .optional(),
  version: ownWords.describe("What version.bind and version.server say; left out: refused.").optional(),
});

export type DnsInput = z.infer<typeof dnsSchema>;

export function buildDns({ identity, version }: DnsInput): DnsSettings {
  return {
    ...(identity === undefined ? {} : { identity }),
    ...(version === undefined ? {} : { version }),
  };
}
