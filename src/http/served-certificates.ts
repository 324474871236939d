import { watchFiles } from "../base/watch.ts";
import type { Https } from "../model/inventory.ts";
import type { Log } from "../model/log.ts";
import type { MetricSource } from "../model/metrics.ts";
import { type Certificates, openCertificates } from "./certificates.ts";
import type { HttpDoorOptions } from "./door.ts";

export interface ServedCertificates {
  /** For the options of the door, with the sockets that listen. */
  readonly door: (fds: readonly number[]) => Pick<HttpDoorOptions, "https">;
  readonly states: Certificates["states"];
  readonly metrics: MetricSource;
  /** Reads them again whenever the files change, and then calls `renew`. Returns the way to stop. */
  start(renew: () => void): () => void;
  take(https: Https | undefined): void;
}

const NOTHING_SERVED: ServedCertificates = {
  door: () => ({}),
  states: () => [],
  metrics: () => [],
  start: () => () => {},
  take: () => {},
};

/** Certificates as the configuration names them, and as their files change. */
export function serveCertificates(https: Https | undefined, log: Log): ServedCertificates {
  if (https === undefined) return NOTHING_SERVED;
  let pairs = https.certificates;
  let renewDoor: (() => void) | undefined;
  const certificates = openCertificates(pairs, log, Date.now);
  const readAgain = (): void => {
    certificates.read(pairs);
    renewDoor?.();
  };
  return {
    door: (fds) => ({ https: { endpoints: https.addresses, certificates, fds } }),
    states: certificates.states,
    metrics: certificates.metrics,
    start(renew) {
      renewDoor = renew;
      return watchFiles(async () => pairs.flatMap(({ certificate, key }) => [certificate, key]), readAgain);
    },
    take(next) {
      pairs = next?.certificates ?? pairs;
      readAgain();
    },
  };
}
