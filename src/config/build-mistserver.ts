import { didYouMean } from "../base/suggest.ts";
import type { MistBalancer } from "../model/mistserver.ts";
import type { Service } from "../model/service.ts";
import { derived, VALUE } from "./reading.ts";
import type { Report } from "./report.ts";
import type { FileInput } from "./schema.ts";

/** MistServer's own, where nobody says otherwise. */
const USUAL_OUTPUTS = {
  HLS: "http://HOST:8080/hls/$/index.m3u8",
  RTMP: "rtmp://HOST:1935/play/$",
  DTSC: "dtsc://HOST:4200/$",
};

/** Undefined: it is not switched on. */
export function buildMistBalancer(
  { listen, mistserver }: FileInput,
  services: readonly Service[],
  report: Report,
): MistBalancer | undefined {
  if (listen.mistserver.length === 0) return undefined;
  const { service: id, fallback, outputs } = mistserver;
  const ids = services.map((service) => service.id);
  const [only] = services.length === 1 ? services : [];
  const service = id === undefined ? only : services.find((each) => each.id === id);
  if (id !== undefined && service === undefined)
    report(["mistserver", "service"], `there is no service ${VALUE}${derived(didYouMean(id, new Set(ids)))}`);
  else if (service === undefined)
    report(["listen", "mistserver"], "of which service remains unsaid; add mistserver: { service: … }");
  return service && { service: service.index, fallback, outputs: { ...USUAL_OUTPUTS, ...outputs } };
}
