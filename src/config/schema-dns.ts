import { z } from "zod";
import { decimal, integer, oneOf, secret, text, textLeaf } from "./leaf.ts";
import { prefix } from "./leaf-network.ts";
import { duration } from "./leaf-quantity.ts";
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

const rateLimitSchema = z.strictObject({
  responsesPerSecond: decimal({ min: 0.1, max: 1_000_000 }).describe(
    "Responses of one kind to one client network over UDP.",
  ),
  window: duration({ min: "1s", max: "1h" })
    .describe("How long it takes a network that asked far too much to have answers again.")
    .prefault("15s"),
  slip: integer({ min: 0, max: 10 })
    .describe("Every so many of the refused responses goes out with TC=1; 0: none, 1: all.")
    .prefault(2),
  exempt: z.array(prefix()).describe("Networks whose responses are not limited.").prefault([]),
  ipv4PrefixLength: integer({ min: 1, max: 32 }).describe("Length of a client network.").prefault(24),
  ipv6PrefixLength: integer({ min: 1, max: 128 }).describe("Length of a client network.").prefault(56),
});

const tcpSchema = z.strictObject({
  connections: integer({ min: 1, max: 100_000 })
    .describe("At a time; for one more, the one idle longest is closed.")
    .prefault(1000),
  connectionsPerNetwork: integer({ min: 1, max: 100_000 })
    .describe("The same for one IPv4 /24 or IPv6 /56.")
    .prefault(400),
  idleTimeout: duration({ min: "1s", max: "10m" })
    .describe("A connection without a whole query for so long is closed.")
    .prefault("15s"),
});

const queryLogSchema = z.strictObject({
  destination: text(
    "stdout or a path",
    "write stdout, or the path of a file from the folder of the configuration",
  ).describe("stdout, or the path of a file; SIGUSR1 and SIGHUP open it anew."),
  sample: decimal({ min: 0.000_001, max: 1 }).describe("Share of the answers that is logged.").prefault(0.01),
  addresses: oneOf("truncated", "whole")
    .describe("truncated: clients by their /24 or /48; whole: by their address.")
    .prefault("truncated"),
});

export const dnsSchema = z.strictObject({
  placeless: z
    .array(prefix())
    .describe("Resolvers that send no client subnet and serve the whole world: answered by load and weight.")
    .prefault([]),
  identity: ownWords
    .describe(
      "Which server this is: id.server, hostname.bind (RFC 4892) and NSID (RFC 5001); left out: untold.",
    )
    .optional(),
  version: ownWords.describe("What version.bind and version.server say; left out: refused.").optional(),
  cookieSecrets: z
    .array(secret("32 hexadecimal digits, from openssl rand -hex 16", /^[0-9a-fA-F]{32}$/))
    .min(1, { error: "an empty list; give a secret, or leave the key out" })
    .describe(
      "Of DNS cookies, shared by the servers behind one address: the first makes them, all are accepted (RFC 9018 5); left out: a random one.",
    )
    .optional(),
  rateLimit: rateLimitSchema
    .describe("Response rate limiting; clients with a valid cookie and TCP are exempt.")
    .optional(),
  queryLog: queryLogSchema
    .describe("Logs a sample of the answers as lines of JSON; left out: none.")
    .optional(),
  tcp: tcpSchema.describe("Limits of connections over TCP.").prefault({}),
});

export type DnsInput = z.infer<typeof dnsSchema>;
