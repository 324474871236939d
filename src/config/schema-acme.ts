import { z } from "zod";
import { secret, text } from "./leaf.ts";
import { hostname } from "./leaf-network.ts";

const account = z.strictObject({
  username: text("a name", "write what the client sends as X-Api-User").describe(
    "X-Api-User; shown in logs.",
  ),
  sha256: secret("64 hexadecimal digits, the SHA-256 of the key", /^[0-9A-Fa-f]{64}$/).describe(
    "SHA-256 of X-Api-Key, hexadecimal; best from a variable.",
  ),
  subdomain: text("a name", "write what the client sends as subdomain")
    .describe("What the client names in its updates; default: the username.")
    .optional(),
  hostname: hostname().describe("A service's hostname, without *., that it may prove."),
});

export const acmeSchema = z.strictObject({
  accounts: z
    .array(account.optional())
    .describe("Who may set values by POST /update as at acme-dns.")
    .prefault([]),
});

export type AcmeInput = z.infer<typeof acmeSchema>;
