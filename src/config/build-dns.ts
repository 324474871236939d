import { absolute } from "./build-server.ts";
import type { DnsSettings, QueryLogSettings, RateLimit, TcpLimits } from "../model/dns-settings.ts";
import type { DnsInput } from "./schema-dns.ts";

/** @param folder of the configuration, where relative paths begin */
export function buildDns(
  { placeless, identity, version, cookieSecrets, rateLimit, tcp, queryLog }: DnsInput,
  folder: string,
): DnsSettings {
  const [firstSecret, ...otherSecrets] = (cookieSecrets ?? []).map((digits) => Buffer.from(digits, "hex"));
  return {
    ...(placeless.length === 0 ? {} : { placeless }),
    ...(identity === undefined ? {} : { identity }),
    ...(version === undefined ? {} : { version }),
    ...(firstSecret === undefined ? {} : { cookieSecrets: [firstSecret, ...otherSecrets] }),
    ...(rateLimit === undefined ? {} : { rateLimit: rateLimitOf(rateLimit) }),
    tcp: tcpLimitsOf(tcp),
    ...(queryLog === undefined ? {} : { queryLog: queryLogOf(queryLog, folder) }),
  };
}

function rateLimitOf({ window, ...limit }: NonNullable<DnsInput["rateLimit"]>): RateLimit {
  return { ...limit, windowSeconds: window / 1000 };
}

function tcpLimitsOf({ connections, connectionsPerNetwork, idleTimeout }: DnsInput["tcp"]): TcpLimits {
  return { connections, connectionsPerNetwork, idleMs: idleTimeout };
}

function queryLogOf(
  { destination, sample, addresses }: NonNullable<DnsInput["queryLog"]>,
  folder: string,
): QueryLogSettings {
  return {
    destination: destination === "stdout" ? destination : absolute(destination, folder),
    sample,
    wholeAddresses: addresses === "whole",
  };
}
