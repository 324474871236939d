import type { AcmeAccount } from "../model/acme.ts";
import type { Service } from "../model/service.ts";
import { VALUE } from "./reading.ts";
import type { Report } from "./report.ts";
import type { AcmeInput } from "./schema-acme.ts";

export function buildAccounts(
  { accounts }: AcmeInput,
  services: readonly Pick<Service, "hostnames">[],
  report: Report,
): AcmeAccount[] {
  const names = new Set<string>();
  const hostnames = services.flatMap((service) => service.hostnames);
  return accounts.flatMap((account, i): AcmeAccount[] => {
    if (account === undefined) return [];
    const { username, sha256, subdomain = username, hostname } = account;
    const path = ["acme", "accounts", i];
    if (names.has(username))
      report([...path, "username"], `${VALUE} names another account already; choose another name`);
    names.add(username);
    if (!isServed(hostname, hostnames))
      report([...path, "hostname"], `${VALUE} is no service's hostname; write one of them, without *.`);
    return [{ username, sha256: sha256.toLowerCase(), subdomain, hostname }];
  });
}

/** One of them, the base of a wildcard, or under it. */
function isServed(hostname: string, hostnames: readonly string[]): boolean {
  return hostnames.some((served) =>
    served.startsWith("*.")
      ? hostname === served.slice(2) || hostname.endsWith(served.slice(1))
      : hostname === served,
  );
}
