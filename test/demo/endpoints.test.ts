import { expect, it } from "vitest";
import { withoutAbsentIpv6 } from "../../src/demo/endpoints.ts";
import { plainInventory } from "../inventory.ts";

const V4 = { host: "127.0.0.1", port: 8053 };
const V6 = { host: "::1", port: 8053 };

function listening(dns: (typeof V4)[], addresses: string[]) {
  const plain = plainInventory();
  const inventory = { ...plain, listen: { ...plain.listen, dns, http: [V4] } };
  const told: unknown[] = [];
  const { listen } = withoutAbsentIpv6(inventory, (endpoint) => told.push(endpoint), new Set(addresses));
  return { dns: listen.dns, told };
}

it("leaves ::1 out where the machine has no such address, and says so", () => {
  expect(listening([V4, V6], ["127.0.0.1"])).toEqual({ dns: [V4], told: [V6] });
});

it("keeps ::1 where the machine has it, and where nothing else would be left", () => {
  expect(listening([V4, V6], ["127.0.0.1", "::1"])).toEqual({ dns: [V4, V6], told: [] });
  expect(listening([V6], ["127.0.0.1"])).toEqual({ dns: [V6], told: [] });
});
