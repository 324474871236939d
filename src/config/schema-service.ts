import { z } from "zod";
import { decimal, flag, integer, oneOf, text, textLeaf } from "./leaf.ts";
import { address, baseUrl, hostnamePattern } from "./leaf-network.ts";
import { duration, share, ttl } from "./leaf-quantity.ts";
import { read, refuse } from "./reading.ts";
import { httpsSchema, svcbSchema } from "./schema-binding.ts";
import { httpsRedirectSchema } from "./schema-https-redirect.ts";
import { viewerRule } from "./schema-rule.ts";
import { signSchema } from "./schema-sign.ts";
import { streamPath, streamsSchema } from "./schema-streams.ts";

const placeholders = [
  "{edge.url}",
  "{edge.host}",
  "{edge.id}",
  "{path}",
  "{query}",
  "{signature}",
  "{expires}",
  "{key}",
];

const edgeChoice = z.strictObject({
  ids: z
    .array(text("an id", "write the id of an edge"))
    .describe("In the order that failover keeps.")
    .prefault([]),
  tags: z
    .array(text("a tag", "write a tag of an edge"))
    .describe("Edges that have any of the tags, behind those of ids.")
    .prefault([]),
});

/** The wider of the two counts. */
const bandKm = decimal({ min: 0, max: 40_000 });
const band = z.strictObject({
  km: bandKm.describe("Kilometres, load included.").prefault(500),
  share: share().describe("Of the best edge's kilometres.").prefault("20%"),
});

/** What is left out depends on `affinity`. */
const affinityBand = z.strictObject({
  km: bandKm.describe("Kilometres, load included; left out: 500 for streams, 200 for viewers.").optional(),
  share: share()
    .describe("Of the best edge's kilometres; left out: 20% for streams, 10% for viewers.")
    .optional(),
});

const clientSubnet = z.strictObject({
  enabled: flag().describe("false: the resolver's own address decides, and the scope is 0.").prefault(true),
  minimum4: integer({ min: 0, max: 32 }).describe("No IPv4 scope is wider: narrower than right.").prefault(0),
  maximum4: integer({ min: 0, max: 32 })
    .describe("No IPv4 scope is narrower: wider than right, so that some viewers get their neighbours' edge.")
    .prefault(32),
  minimum6: integer({ min: 0, max: 128 }).describe("The same for IPv6.").prefault(0),
  maximum6: integer({ min: 0, max: 128 }).describe("The same for IPv6.").prefault(128),
});

const dns = z.strictObject({
  ttl: ttl().describe("Of the answers.").prefault("20s"),
  ttlInDoubt: ttl()
    .describe(
      "Instead, where less, while an edge of the answer drains, fails probes, has just come back, or may soon be filled by a rush.",
    )
    .prefault("5s"),
  answers: integer({ min: 1, max: 16 }).describe("How many edges an answer names.").prefault(2),
  answersWithin: band
    .describe("How much worse than the best the others may be; with nobody so near, an answer names fewer.")
    .prefault({}),
  clientSubnet: clientSubnet
    .describe("What is made of client subnets (RFC 7871); left out: the scope that is right.")
    .optional(),
  https: httpsSchema
    .describe("HTTPS records (RFC 9460) at the hostnames, with the same addresses as hints; left out: none.")
    .optional(),
  svcb: z
    .record(z.string(), svcbSchema)
    .describe("SVCB records (RFC 9460) in front of the exact hostnames, by scheme, as _dns.")
    .prefault({}),
});

const http = z.strictObject({
  stickiness: ttl()
    .describe(
      "How long a player may keep a redirect; 0s is no-store, and so is a redirect that may soon be another: while its edge fails probes or has just come back.",
    )
    .prefault("0s"),
  url: urlTemplate("https?")
    .describe("Where to redirect; {edge.url}, {edge.host}, {edge.id}, {path} and {query} are replaced.")
    .prefault("{edge.url}{path}{query}"),
  templates: z
    .array(
      z.strictObject({
        tags: z
          .array(text("a tag", "write a tag of an edge"))
          .min(1, { error: "an empty list; leave the key out for every edge" })
          .describe("For edges that have any of them.")
          .optional(),
        scheme: oneOf("http", "https").describe("For viewers who come so.").optional(),
        url: urlTemplate("https?").describe("As http.url."),
      }),
    )
    .describe("Instead of url, the first that fits the edge's tags and the viewer's scheme.")
    .prefault([]),
  redirectToHttps: httpsRedirectSchema
    .describe("Sends viewers who come without TLS to the same address with it; left out: not at all.")
    .optional(),
  redirectorPhp: flag()
    .describe("Answers /redirector.php?u=/path as /path, as the PHP redirector for Nimble did.")
    .optional(),
  urls: z
    .record(urlName(), urlTemplate("[a-z][a-z0-9+.-]*"))
    .describe("More addresses in JSON answers, by name, as rtmp: rtmp://{edge.host}:1935{path}.")
    .prefault({}),
  sign: signSchema
    .describe("Signs redirects, so that edges can refuse whoever was not sent there.")
    .optional(),
  links: flag()
    .describe("Redirects name the next best edges as Link: rel=duplicate (RFC 6249).")
    .prefault(false),
  serverTiming: flag()
    .describe("Redirects tell the edge, and how long the choice took, as Server-Timing.")
    .prefault(false),
});

const steering = z.strictObject({
  enabled: flag().describe("false ends steering: players are told to go on without (410).").prefault(true),
  ttl: steeringTtl()
    .describe("How long a player keeps a manifest; shorter while something moves, spread by 10 %.")
    .prefault("60s"),
  pathways: z
    .array(text("an id", "write the id of an edge"))
    .min(1, { error: "an empty list; leave the key out if playlists name every edge" })
    .describe("Edges that playlists name; all others are offered as clones of the first. Left out: all.")
    .optional(),
});

const experience = z.strictObject({
  maxKm: decimal({ min: 50, max: 5000 })
    .describe("The most that an edge can be made to look further away from a group of networks.")
    .prefault(500),
  networks: integer({ min: 5, max: 1000 })
    .describe("At how many networks of a group players must report of an edge within a minute.")
    .prefault(10),
});

const fallback = z.strictObject({
  url: baseUrl().optional(),
  addresses: z.array(address()).prefault([]),
});

export const serviceSchema = z.strictObject({
  hostnames: z
    .array(hostnamePattern())
    .min(1, { error: "an empty list; name at least one hostname" })
    .describe("Exact, or *. and a hostname for everything below it."),
  paths: z
    .array(pathPattern())
    .min(1, { error: "an empty list; leave the key out for every path" })
    .describe(
      "Only these paths of the hostnames, as /live/*; DNS goes by the service without paths, or the first.",
    )
    .optional(),
  edges: edgeChoice.describe("Which edges serve it; left out: every edge.").optional(),
  rank: oneOf("nearest", "least-loaded", "weighted", "failover")
    .describe("Which edge comes first: by distance and price, by load, by lot, or in the listed order.")
    .prefault("nearest"),
  affinity: oneOf("none", "stream", "viewer")
    .describe("stream: keep a stream on few edges; viewer: keep a viewer on one.")
    .prefault("none"),
  affinityWithin: affinityBand
    .describe("How much nearer or cheaper another edge must be to outweigh affinity.")
    .optional(),
  streamPath: streamPath()
    .describe(
      "Where the viewers' paths name the stream, for affinity; left out: as streams.path, or the folder.",
    )
    .optional(),
  allow: viewerRule.describe("Only viewers that match one of its entries are served.").optional(),
  deny: viewerRule.describe("Viewers that match one of its entries are refused.").optional(),
  dns: dns.describe("How the DNS door answers.").prefault({}),
  http: http.describe("How the HTTP door answers.").prefault({}),
  steering: steering
    .describe("What players are told at /.edgeward/steering, to move them while they play.")
    .prefault({}),
  experience: experience
    .describe("Lets what players report of their throughput add to distances; left out: it does not.")
    .optional(),
  maxDistanceKm: decimal({ min: 1, max: 20_100 })
    .describe("How far a viewer may be sent, in kilometres; left out: anywhere.")
    .optional(),
  margin: decimal({ min: 0, max: 0.5 })
    .describe("Share of every edge's capacity that this service leaves free.")
    .prefault(0.004),
  whenFull: oneOf("spill", "refuse")
    .describe("spill: the least loaded of the full edges; refuse: 503, no addresses.")
    .prefault("spill"),
  whenDown: oneOf("fail-open", "fallback", "refuse")
    .describe("fail-open: as if all were up; fallback: the fallback; refuse: 503, SERVFAIL.")
    .prefault("fail-open"),
  panicThreshold: share()
    .describe("More edges than this going down within one round of probes is not believed; 100%: never so.")
    .prefault("50%"),
  panicHold: duration({ min: "0ms", max: "24h" })
    .describe("How long the last good state is then kept at most, unless the canary is silent too.")
    .prefault("30s"),
  fallback: fallback.describe("Where viewers go when no edge can serve.").optional(),
  streams: streamsSchema
    .describe("Checks the streams that viewers ask for at each edge; left out: none.")
    .optional(),
});

export type ServiceInput = z.infer<typeof serviceSchema>;

function pathPattern() {
  const json = { type: "string", pattern: "^/[^?#]*$" };
  return textLeaf({ noun: "a path pattern", hint: "write it as /live/*", json }, (value) =>
    /^\/[\u0021-\u0022\u0024-\u003e\u0040-\u007e]*$/.test(value) ? read(value) : undefined,
  );
}

/** Players ask without a pause where it is too short; whole seconds. */
function steeringTtl() {
  return duration({ min: "5s", max: "1h" }).transform((milliseconds) => Math.round(milliseconds / 1000));
}

function urlName() {
  return z.string().regex(/^[a-z][a-z0-9-]{0,30}$/, {
    error: "not a usable name; write small letters, digits and -, as rtmp",
  });
}

/** The host must come from the configuration whatever a viewer asks for. */
function urlTemplate(scheme: string) {
  const hint = "start with {edge.url} or https://host, as {edge.url}{path}{query}";
  return textLeaf({ noun: "a URL template", hint, json: { type: "string" } }, (template) => {
    const unknown = template.match(/\{[^}]*\}?/g)?.find((part) => !placeholders.includes(part));
    if (unknown !== undefined)
      return refuse(`has a placeholder that is not known; write ${placeholders.join(" ")}`);
    const name = "[^/?#@{}]*";
    const host = new RegExp(
      `^(?:\\{edge\\.url\\}|${scheme}://${name}(?:\\{edge\\.(?:id|host)\\}${name})*)(?=$|/|\\{path\\}|\\{query\\}|\\?)`,
    );
    const withHost = template.replaceAll(/\{edge\.(?:id|host)\}/g, "x").replace("{edge.url}", "https://x");
    const parses = URL.canParse(withHost.replace("{path}", "/").replace("{query}", ""));
    return host.test(template) && parses ? read(template) : undefined;
  });
}
