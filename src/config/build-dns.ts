import type { DnsSettings, RateLimit, TcpLimits } from "../model/dns-settings.ts";
import type { DnsInput } from "./schema-dns.ts";

export function buildDns({ identity, version, rateLimit, tcp }: DnsInput): DnsSettings {
  return {
    ...(identity === undefined ? {} : { identity }),
    ...(version === undefined ? {} : { version }),
    ...(rateLimit === undefined ? {} : { rateLimit: rateLimitOf(rateLimit) }),
    tcp: tcpLimitsOf(tcp),
  };
}

function rateLimitOf({ window, ...limit }: NonNullable<DnsInput["rateLimit"]>): RateLimit {
  return { ...limit, windowSeconds: window / 1000 };
}

function tcpLimitsOf({ connections, connectionsPerNetwork, idleTimeout }: DnsInput["tcp"]): TcpLimits {
  return { connections, connectionsPerNetwork, idleMs: idleTimeout };
}
