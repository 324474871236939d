import { randomBytes } from "node:crypto";
import type { LineRing } from "../base/line-ring.ts";
import { finished, type Steps } from "../base/steps.ts";
import type { ChallengeValues } from "../model/acme.ts";
import type { Decide } from "../model/decision.ts";
import type { DnsSettings, TcpLimits } from "../model/dns-settings.ts";
import type { Log } from "../model/log.ts";
import type { Zone } from "../model/zone.ts";
import { TCP_LIMITS } from "./connections.ts";
import type { CookieSecretsAt } from "./cookie.ts";
import { createDnsCounters, type DnsCounters } from "./counters.ts";
import { faultReporter } from "./fault.ts";
import { createNames } from "./names.ts";
import type { NamedService } from "./zone-tree.ts";
import { compileInSteps, compileNamespace } from "./namespace.ts";
import { createQueryLog, type QueryLog } from "./query-log.ts";
import { createRateLimiter, newRateTable, type RateLimiter, type RateTable } from "./rate-limit.ts";
import { createResponder, type Responder } from "./responder.ts";

/** What the configuration says about DNS; an `Inventory` is one. */
export interface Served {
  readonly zones: readonly Zone[];
  readonly services: readonly NamedService[];
  /** Left out: nothing is told of this server, and nothing limited but TCP. */
  readonly dns?: DnsSettings;
}

export interface AnswererOptions {
  readonly served: Served;
  readonly decide: Decide;
  readonly log: Log;
  /** As `ResponderOptions.cookieSecrets`, where the configuration gives none. */
  readonly cookieSecrets: CookieSecretsAt;
  /** Where to count, as `createDnsCounters`. */
  readonly cells: Float64Array;
  /** Of all threads that answer; left out: its own. */
  readonly rateTable?: RateTable;
  /** Values for certificate authorities; left out: none. */
  readonly challenges?: ChallengeValues;
  /** Where the query log's lines go; left out: none is kept, whatever the configuration says. */
  readonly logRing?: LineRing;
}

/** What answers behind whatever socket. */
export interface Answerer {
  readonly responder: Responder;
  readonly counters: DnsCounters;
  readonly rateLimiter: RateLimiter;
  readonly queryLog: QueryLog | undefined;
  /**
   * Replaces all names and limits at once.
   * @throws if the names cannot be compiled, which the configuration has checked before; the old ones stay
   */
  readonly take: (served: Served) => void;
  /** Most of the work of `take`, which is done when the function returned is called. */
  readonly prepareInSteps: (served: Served) => Steps<() => void>;
  /** Replaces the values for certificate authorities (RFC 8555 8.4). */
  readonly challenge: (values: ChallengeValues) => void;
}

export function createAnswerer(options: AnswererOptions): Answerer {
  const { served, decide, log, cookieSecrets, rateTable = newRateTable(newRateSeeds()) } = options;
  const counters = createDnsCounters(options.cells);
  const rateLimiter = createRateLimiter(rateTable, served.dns?.rateLimit);
  const { logRing } = options;
  const queryLog = logRing === undefined ? undefined : createQueryLog(logRing, served.dns?.queryLog);
  let sharedSecrets = served.dns?.cookieSecrets;
  const configured = compileNamespace(served.zones, served.services, served.dns);
  const names = createNames(configured, options.challenges);
  const responder = createResponder({
    namespace: names.current(),
    decide,
    counters,
    cookieSecrets: (nowSeconds) => sharedSecrets ?? cookieSecrets(nowSeconds),
    rateLimiter,
    tcpIdleMs: tcpLimitsOf(served).idleMs,
    ...(queryLog === undefined ? {} : { queryLog }),
    onFault: faultReporter(log),
  });
  function* prepareInSteps(next: Served): Steps<() => void> {
    const { zones, services, dns } = next;
    const compiled = yield* compileInSteps(zones, services, dns);
    return () => {
      responder.take(names.take(compiled), tcpLimitsOf(next).idleMs);
      sharedSecrets = dns?.cookieSecrets;
      rateLimiter.take(dns?.rateLimit);
      queryLog?.take(dns?.queryLog);
    };
  }
  return {
    responder,
    counters,
    rateLimiter,
    queryLog,
    take: (next) => finished(prepareInSteps(next))(),
    prepareInSteps,
    challenge: (values) => responder.take(names.challenge(values)),
  };
}

function tcpLimitsOf({ dns }: Served): TcpLimits {
  return dns?.tcp ?? TCP_LIMITS;
}

export function newRateSeeds(): Int32Array {
  return new Int32Array(Uint8Array.from(randomBytes(8)).buffer);
}
