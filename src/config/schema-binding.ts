import { z } from "zod";
import { flag, integer, oneOf, textLeaf } from "./leaf.ts";
import { read, refuse } from "./reading.ts";

const port = integer({ min: 1, max: 65_535 });

/** Printable, so that it can be shown; a registered protocol is (RFC 7301 6). */
const alpnId = textLeaf(
  {
    noun: "a protocol",
    hint: "write it as h2 or h3",
    json: { type: "string", pattern: "^[!-~]{1,255}$" },
  },
  (value) => (/^[!-~]{1,255}$/.test(value) ? read(value) : undefined),
);

const ech = textLeaf(
  { noun: "an ECHConfigList", hint: "write it in base64", json: { type: "string" } },
  (value) => {
    const isBase64 = value.length % 4 === 0 && /^[A-Za-z0-9+/]+={0,2}$/.test(value);
    return isBase64 ? read(new Uint8Array(Buffer.from(value, "base64"))) : undefined;
  },
);

const params = {
  alpn: z.array(alpnId).describe("Protocols that the edges speak, as h2, h3.").prefault([]),
  noDefaultAlpn: flag()
    .describe("The edges do not speak what the scheme takes for granted, as HTTP/1.1.")
    .prefault(false),
  port: port.describe("Where the edges listen, if not at the port of the URL.").optional(),
  ech: ech.describe("ECHConfigList for encrypted client hellos (RFC 9849), in base64.").optional(),
  mandatory: z
    .array(oneOf("alpn", "no-default-alpn", "port", "ech"))
    .describe("Who does not understand these may not use the record (RFC 9460 8).")
    .prefault([]),
  hints: flag().describe("Whether the addresses of the answer go with it.").prefault(true),
};

export const httpsSchema = z.strictObject({
  ...params,
  originPorts: z
    .array(port)
    .describe("Ports of the viewers' URLs beside 443: each has its record at _PORT._https.HOSTNAME.")
    .prefault([]),
});

export const svcbSchema = z.strictObject(params);

export type BindingInput = z.infer<typeof svcbSchema>;

/** Schemes whose bindings are HTTPS records (RFC 9460 9.1, 9.5, 9.6). */
const httpsSchemes: ReadonlySet<string> = new Set(["_https", "_http", "_wss", "_ws"]);

/** Labels in front of a hostname: a scheme, with a port before it where that is not the scheme's own (RFC 9460 2.3). */
export function readBindingPrefix(key: string) {
  const prefix = key.toLowerCase();
  if (!/^(_[a-z0-9]([a-z0-9-]{0,60}[a-z0-9])?)(\._[a-z0-9]([a-z0-9-]{0,60}[a-z0-9])?)?$/.test(prefix))
    return refuse("is not a scheme; write it as _dns, or _8443._dns for another port (RFC 9460 2.3)");
  if (httpsSchemes.has(prefix.split(".").at(-1) as string))
    return refuse(
      "has HTTPS records, not SVCB (RFC 9460 9); use dns.https, with originPorts for other ports",
    );
  return read(prefix);
}
