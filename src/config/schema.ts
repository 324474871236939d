import { z } from "zod";
import { acmeSchema } from "./schema-acme.ts";
import { dnsSchema } from "./schema-dns.ts";
import { id, writtenEdgeSchema } from "./schema-edge.ts";
import {
  detailsForSchema,
  geoipSchema,
  listenSchema,
  mistServerSchema,
  opsSchema,
  placeSchema,
  probingSchema,
  proxyProtocolSchema,
  stateFile,
  trustedProxiesSchema,
} from "./schema-server.ts";
import { serviceSchema } from "./schema-service.ts";
import { zoneSchema } from "./schema-zone.ts";

/**
 * The configuration file as it is written. Edges are looked at here without their defaults, and once more
 * with them, by `edgeSchema`, which is made of the same keys.
 */
export const fileSchema = z.strictObject({
  listen: listenSchema.describe("Addresses and ports of the doors.").prefault({}),
  ops: opsSchema.describe("Who may come in at the operators' door.").prefault({}),
  dns: dnsSchema
    .describe("The DNS door itself: what it tells of this server, and how it treats its clients.")
    .prefault({}),
  acme: acmeSchema.describe("Proofs of the services' hostnames for certificate authorities.").prefault({}),
  stateFile: stateFile
    .describe(
      "Where drains are kept over a restart; default: in $STATE_DIRECTORY or here, by this file's name, as edgeward.state.json.",
    )
    .optional(),
  trustedProxies: trustedProxiesSchema
    .describe("Whose Forwarded and X-Forwarded-For is believed.")
    .prefault([]),
  proxyProtocol: proxyProtocolSchema
    .describe("Balancers in front of listen.http and listen.https that send the PROXY protocol, 1 or 2.")
    .optional(),
  detailsFor: detailsForSchema
    .describe("Networks whose viewers see loads, prices and reasons in JSON answers; others see distances.")
    .prefault([]),
  geoip: geoipSchema.describe("Databases that tell where viewers are.").prefault({}),
  places: z
    .record(z.string(), placeSchema)
    .describe("The operator's word over GeoIP, by network: the longest prefix wins.")
    .prefault({}),
  probing: probingSchema.describe("Rules for every probe and load reading.").prefault({}),
  mistserver: mistServerSchema
    .describe("How listen.mistserver answers in place of MistServer's balancer.")
    .prefault({}),
  zones: z.record(z.string(), zoneSchema).describe("What we are authoritative for, by name.").prefault({}),
  defaults: writtenEdgeSchema.describe("Merged under every edge.").optional(),
  edges: z
    .record(id(), writtenEdgeSchema)
    .describe("Serving hosts by id; may also be spread over edges.d/*.yaml.")
    .prefault({}),
  services: z.record(id(), serviceSchema).describe("Routed hostnames by id.").prefault({}),
});

export type FileInput = z.infer<typeof fileSchema>;

/** JSON Schema (draft 7) of the configuration file, for editors. */
export function jsonSchema(): object {
  const schema = z.toJSONSchema(fileSchema, { io: "input", target: "draft-7", unrepresentable: "any" });
  return { ...schema, title: "edgeward configuration" };
}
