import { z } from "zod";
import { flag, integer, leaf, oneOf, text, textLeaf } from "./leaf.ts";
import { domainName, hostWithPort, url } from "./leaf-network.ts";
import { duration } from "./leaf-quantity.ts";
import { read } from "./reading.ts";
import { asWritten, oneOrMany, typeError } from "./variants.ts";

const recordTypes = ["A", "AAAA", "CAA", "CNAME", "HTTPS", "MX", "NS", "SOA", "SRV", "SVCB", "TXT"] as const;
const responseCodes = ["NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED"] as const;

const APPLICATION_LENGTH_MAX = 255;

const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

const timing = {
  interval: duration({ min: "100ms", max: "1h" }).describe("Time between two probes.").prefault("2s"),
  timeout: duration({ min: "10ms", max: "1m" })
    .describe("A probe that takes longer failed; default: 1s, or the interval where that is shorter.")
    .optional(),
  rise: integer({ min: 1, max: 10 }).describe("Successes in a row that bring an address up.").prefault(3),
  fall: integer({ min: 1, max: 10 }).describe("Failures in a row that bring an address down.").prefault(2),
};

const port = integer({ min: 1, max: 65_535 });

/** Of whatever can go over TLS. */
export const tlsCheck = z.strictObject({
  verify: flag().describe("Whether the certificate must be valid.").prefault(true),
});

const host = hostWithPort().describe(
  "The Host header, and the name that the certificate must carry; default: the url's host.",
);

const secure = flag();

const httpProbe = z.strictObject({
  type: z.literal("http").describe("An HTTP request at each address of the edge."),
  ...timing,
  path: requestPath().describe("Path and query, behind the edge's url.").optional(),
  url: url().describe("A whole URL, in place of the edge's url and path.").optional(),
  port: port.describe("In place of the url's port.").optional(),
  host: host.optional(),
  status: oneOrMany(status()).describe("Status codes that count as success.").prefault("2xx"),
  body: text("a text", "write what the body must contain")
    .describe("Text that the first 64 KiB of the body must contain.")
    .optional(),
  headers: z
    .record(headerName(), headerValue("a pattern", "write a text in which * stands for any other"))
    .describe("What response headers must be, by name, in any case; * stands for any text.")
    .optional(),
  tls: tlsCheck.prefault({}),
});

const tcpProbe = z.strictObject({
  type: z.literal("tcp").describe("A TCP connection to each address of the edge."),
  ...timing,
  port: port.describe("The port to connect to."),
});

const rtmpProbe = z.strictObject({
  type: z.literal("rtmp").describe("An RTMP handshake with each address of the edge."),
  ...timing,
  port: port.describe("Default: 1935, or 443 with secure.").optional(),
  secure: secure.describe("Over TLS, as rtmps.").prefault(false),
  host: host.optional(),
  application: rtmpApplication()
    .describe("Also connects to this application; left out: only the handshake.")
    .optional(),
  tls: tlsCheck.prefault({}),
});

const webSocketProbe = z.strictObject({
  type: z.literal("websocket").describe("A WebSocket's opening handshake with each address of the edge."),
  ...timing,
  path: requestPath().describe("Path and query.").prefault("/"),
  port: port.describe("In place of the url's port.").optional(),
  secure: secure.describe("Over TLS, as wss; default: as the edge's url.").optional(),
  host: host.optional(),
  protocol: token("a subprotocol", "write it as chat.v1")
    .describe("Subprotocol to ask for, which the server must choose.")
    .optional(),
  origin: headerValue("an origin", "write it as https://player.example.net")
    .describe("The Origin header, where the server looks at it.")
    .optional(),
  tls: tlsCheck.prefault({}),
});

const hlsProbe = z.strictObject({
  type: z
    .literal("hls")
    .describe("An HLS stream at each address of the edge: playlists, progress, newest segment."),
  ...timing,
  path: requestPath().describe("Of a master or a media playlist, behind the edge's url.").optional(),
  url: url().describe("A whole URL, in place of the edge's url and path.").optional(),
  port: port.describe("In place of the url's port.").optional(),
  host: host.optional(),
  tls: tlsCheck.prefault({}),
});

const dnsProbe = z.strictObject({
  type: z.literal("dns").describe("A DNS query to each address of the edge."),
  ...timing,
  name: domainName().describe("The name to ask for."),
  record: oneOf(...recordTypes)
    .describe("The record type to ask for.")
    .prefault("A"),
  rcode: oneOf(...responseCodes)
    .describe("The response code that counts as success.")
    .prefault("NOERROR"),
  answer: flag().describe("Whether there must be a record of that type; default: with NOERROR.").optional(),
  port: port.prefault(53),
  transport: oneOf("udp", "tcp").prefault("udp"),
});

const noProbe = z.strictObject({
  type: z.literal("none").describe("Never probed: always taken to be up."),
  ...timing,
});

export const probeVariants = [
  httpProbe,
  tcpProbe,
  rtmpProbe,
  webSocketProbe,
  hlsProbe,
  dnsProbe,
  noProbe,
] as const;

/** A probe with the defaults merged in. */
export const probeSchema = z.discriminatedUnion("type", probeVariants, typeError("probe", probeVariants, []));

/** A probe as it stands in the file. */
export const writtenProbeSchema = asWritten("probe", probeVariants, []).describe(
  "How the edge is checked; merged over the probe of defaults.",
);

export type ProbeInput = z.infer<typeof probeSchema>;

/** RFC 9110 5.6.2; kept in lower case. */
function headerName() {
  return z
    .string()
    .regex(TOKEN, { error: "is not the name of a header; write it as content-type" })
    .transform((name) => name.toLowerCase());
}

function token(noun: string, hint: string) {
  return textLeaf({ noun, hint, json: { type: "string" } }, (value) =>
    TOKEN.test(value) ? read(value) : undefined,
  );
}

/** Without control characters: it goes into a header, or is compared with one. */
function headerValue(noun: string, hint: string) {
  return textLeaf({ noun, hint, json: { type: "string", minLength: 1 } }, (value) =>
    /^[\u0020-\u007e]+$/.test(value) ? read(value) : undefined,
  );
}

/** It goes into a URL, as its path and query, and into the command `connect`. */
function rtmpApplication() {
  const json = { type: "string", pattern: "^[^/\\s][^\\s]*$", maxLength: APPLICATION_LENGTH_MAX };
  const words = { noun: "an application", hint: "write it as live, without a slash before it", json };
  return textLeaf(words, (value) =>
    /^[!-.0-~][!-~]*$/.test(value) && value.length <= APPLICATION_LENGTH_MAX ? read(value) : undefined,
  );
}

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
