import { antMediaSource } from "./ant-media.ts";
import { apacheSource } from "./apache.ts";
import { astatsSource } from "./astats.ts";
import { flashphonerSource } from "./flashphoner.ts";
import { haproxySource } from "./haproxy.ts";
import { jsonSource } from "./json.ts";
import { mistServerSource } from "./mistserver.ts";
import { nginxRtmpSource } from "./nginx-rtmp.ts";
import { nginxStubStatusSource } from "./nginx-stub-status.ts";
import { nginxVtsSource } from "./nginx-vts.ts";
import { nimbleSource } from "./nimble.ts";
import { nodeExporterSource } from "./node-exporter.ts";
import { ovenMediaEngineSource } from "./ovenmediaengine.ts";
import type { PolledLoad, SourceType } from "./source.ts";
import { srsSource } from "./srs.ts";
import { varnishSource } from "./varnish.ts";
import { wowzaSource } from "./wowza.ts";

/** One file per type: a new type is a file and a line here. */
const byType: {
  readonly [T in PolledLoad["type"]]: SourceType<Extract<PolledLoad, { type: T }>, unknown>;
} = {
  json: jsonSource,
  mistserver: mistServerSource,
  nimble: nimbleSource,
  wowza: wowzaSource,
  flashphoner: flashphonerSource,
  "nginx-rtmp": nginxRtmpSource,
  "nginx-stub-status": nginxStubStatusSource,
  "nginx-vts": nginxVtsSource,
  srs: srsSource,
  "ant-media": antMediaSource,
  ovenmediaengine: ovenMediaEngineSource,
  varnish: varnishSource,
  haproxy: haproxySource,
  apache: apacheSource,
  "node-exporter": nodeExporterSource,
  astats: astatsSource,
};

/** What one reading leaves for the next is passed on unseen. */
export function sourceTypeOf(source: PolledLoad): SourceType<PolledLoad, unknown> {
  return byType[source.type];
}
