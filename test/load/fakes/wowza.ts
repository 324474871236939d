import { createHash } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { sample } from "../reading.ts";
import { type Fake, isBasic, send, serveFake } from "./server.ts";

export interface FakeWowzaOptions {
  readonly scheme: "digest" | "digest without qop" | "basic";
  /** After so many uses a nonce is stale. */
  readonly nonceUses?: number;
}

const USER = "monitor";
const PASSWORD = "s3cret-word";

/** Challenges first, then answers XML, or JSON to those who accept it, at both doors. */
export function fakeWowza({ scheme, nonceUses = Infinity }: FakeWowzaOptions): Promise<Fake> {
  let issued = 0;
  let uses = 0;
  const challenge = (isStale: boolean): string => {
    issued++;
    uses = 0;
    const qop = scheme === "digest" ? ', qop="auth"' : "";
    const stale = isStale ? ", stale=true" : "";
    return `Digest realm="Wowza", domain="/", nonce="nonce-${issued}", algorithm=MD5${qop}${stale}`;
  };
  return serveFake((request, reply) => {
    if (scheme === "basic") {
      if (!isBasic(request, USER, PASSWORD))
        return send(reply, 401, "text/xml", "<no/>", { "www-authenticate": 'Basic realm="Wowza"' });
      return page(request, reply);
    }
    const isStale = uses >= nonceUses;
    if (isStale || !isAnswer(request, `nonce-${issued}`, ++uses, scheme === "digest"))
      return send(reply, 401, "text/xml", "<no/>", { "www-authenticate": challenge(isStale) });
    return page(request, reply);
  });
}

/** RFC 7616 3.4.1, or RFC 2069 2.1.2 without qop; the URI is that of the request line, and the count rises. */
function isAnswer(request: IncomingMessage, nonce: string, count: number, hasQop: boolean): boolean {
  const header = request.headers.authorization ?? "";
  const value = (name: string): string => new RegExp(`\\b${name}="?([^",]*)`).exec(header)?.[1] ?? "";
  const md5 = (text: string): string => createHash("md5").update(text).digest("hex");
  const uri = request.url ?? "";
  const [who, what] = [md5(`${USER}:Wowza:${PASSWORD}`), md5(`${request.method}:${uri}`)];
  const nc = count.toString(16).padStart(8, "0");
  const wanted = hasQop
    ? md5(`${who}:${nonce}:${nc}:${value("cnonce")}:auth:${what}`)
    : md5(`${who}:${nonce}:${what}`);
  return value("uri") === uri && value("nonce") === nonce && value("response") === wanted;
}

function page(request: IncomingMessage, reply: Parameters<typeof send>[0]): void {
  const { url = "" } = request;
  if (url.startsWith("/connectioncounts"))
    return send(reply, 200, "text/xml", sample("wowza-connectioncounts.xml"));
  const name = NAMES.find(([pattern]) => pattern.test(url))?.[1];
  if (name === undefined) return send(reply, 404, "application/json", { code: 404 });
  const isJson = request.headers.accept?.includes("json") === true;
  return send(
    reply,
    200,
    isJson ? "application/json" : "text/xml",
    sample(`${name}.${isJson ? "json" : "xml"}`),
  );
}

const NAMES: readonly (readonly [RegExp, string])[] = [
  [/^\/v2\/machine\/monitoring\/current$/, "wowza-machine-current"],
  [/\/applications\/live\/monitoring\/current$/, "wowza-application-current"],
];
