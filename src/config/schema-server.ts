import { z } from "zod";
import { integer, oneOf, secret, text, textLeaf } from "./leaf.ts";
import { address, endpoint, prefix } from "./leaf-network.ts";
import { duration } from "./leaf-quantity.ts";
import { latitude, longitude } from "./schema-edge.ts";
import { read } from "./reading.ts";
import { continent, country } from "./schema-rule.ts";

const path = text("a path", "write the path of a file, from the folder of the configuration");

const httpsSchema = z.strictObject({
  addresses: z
    .array(endpoint())
    .min(1, "give at least one address, as [0.0.0.0:443]")
    .describe("Where to listen."),
  certificates: z
    .array(
      z.strictObject({
        certificate: path.describe("PEM: the certificate, followed by those that it was issued by."),
        key: path.describe("PEM: its private key, without a passphrase."),
      }),
    )
    .min(1, "give at least one certificate and its key")
    .describe("By the names in them (SNI); the first is for every other name."),
});

export const listenSchema = z.strictObject({
  dns: z.array(endpoint()).describe("UDP and TCP on each address.").prefault([]),
  http: z.array(endpoint()).describe("The viewers' door.").prefault([]),
  https: httpsSchema.describe("The viewers' door with TLS: HTTP/1.1 and HTTP/2.").optional(),
  ops: endpoint()
    .describe("The operators' door: metrics, explain, load reports, dashboard.")
    .prefault("127.0.0.1:9153"),
  mistserver: z
    .array(endpoint())
    .describe("In place of MistServer's balancer, which listens on port 8042; left out: not at all.")
    .prefault([]),
});

export const mistServerSchema = z.strictObject({
  service: text("a service's id", "write the id of a service")
    .describe("Whose edges and rules count; may be left out where there is one service only.")
    .optional(),
  fallback: text("a text", "write a host or an address, or FULL")
    .describe("What is answered when there is nowhere to send anyone.")
    .prefault("FULL"),
  outputs: z
    .record(z.string(), outputTemplate())
    .describe("Addresses by connector, with HOST and $ in them, where a server does not tell its own.")
    .prefault({}),
});

const token = z.strictObject({
  name: text("a name", "write who holds the token").describe("Who holds it; shown in logs."),
  role: oneOf("viewer", "reporter", "operator").describe(
    "viewer: read; reporter: one edge's load; operator: drain, undrain, reload.",
  ),
  edge: text("an edge's id", "write the id of an edge")
    .describe("The only edge a reporter speaks for.")
    .optional(),
  sha256: secret("64 hexadecimal digits, the SHA-256 of the token", /^[0-9A-Fa-f]{64}$/).describe(
    "SHA-256 of the token, hexadecimal; best from a variable.",
  ),
});

export const opsSchema = z.strictObject({
  tokens: z
    .array(token.optional())
    .describe("Needed as soon as the operators' door listens on anything but loopback.")
    .prefault([]),
});

export const geoipSchema = z.strictObject({
  city: z.array(path).describe("Paths of .mmdb files; empty: the packaged DB-IP City Lite.").prefault([]),
  asn: z.array(path).describe("Paths of .mmdb files with AS numbers.").prefault([]),
});

export const placeSchema = z.strictObject({
  latitude,
  longitude,
  country: country.describe("ISO 3166-1 alpha-2.").optional(),
  continent: continent.optional(),
});

const canarySchema = z.strictObject({
  addresses: z
    .array(address())
    .min(1, { error: "an empty list; name at least one address outside your edges' networks" })
    .describe("Machines that answer when our network works, and are none of the edges; one is enough."),
  port: integer({ min: 1, max: 65_535 }).describe("Of TCP; a refusal counts as an answer.").prefault(53),
  interval: duration({ min: "100ms", max: "1h" }).describe("Time between two probes.").prefault("2s"),
  timeout: duration({ min: "10ms", max: "1m" })
    .describe("A probe that takes longer failed; default: 1s, or the interval where that is shorter.")
    .optional(),
});

export const probingSchema = z.strictObject({
  allowedNetworks: z
    .array(prefix())
    .describe("Networks that probes and load readings may reach though they are refused by default.")
    .prefault([]),
  canary: canarySchema
    .describe("While neither it nor any edge answers, our own network is at fault, and no edge is taken out.")
    .optional(),
});

export const stateFile = path;
export const trustedProxiesSchema = z.array(prefix());
export const proxyProtocolSchema = z.strictObject({
  from: z
    .array(prefix())
    .min(1, { error: "an empty list; name the balancers' networks, or leave proxyProtocol out" })
    .describe("Every connection from these must begin with a PROXY header, and none from elsewhere."),
});
export const detailsForSchema = z.array(prefix());

function outputTemplate() {
  const words = {
    noun: "an output",
    hint: "write HOST for the host and $ for the stream, as http://HOST:8080/hls/$/index.m3u8",
    json: { type: "string" },
  };
  return textLeaf(words, (template) =>
    /^[a-z][a-z\d+.-]*:\/\/[^/?#$\s]+[\x21-\x7e]*$/i.test(template) ? read(template) : undefined,
  );
}
