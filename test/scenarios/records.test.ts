import { decode } from "dns-packet";
import { describe, expect, it } from "vitest";
import { queryPacket } from "./dns-client.ts";
import { LIVE, LONDON, referenceConfig, TOKYO } from "./reference.ts";
import { takeNetwork } from "./network.ts";
import { waitFor } from "./wait.ts";
import { serviceForAll } from "./harness.ts";

describe("what a service's hostname answers", () => {
  const service = serviceForAll(async () => {
    const config = await referenceConfig(takeNetwork());
    config["services"].live.dns = {
      ttl: "20s",
      answers: 2,
      answersWithin: { km: 20_000, share: "100%" },
      https: { alpn: ["h2", "h3"] },
    };
    // Who is active again takes up load at once: while he does not, the TTL stays short.
    config["edges"].nyc1.rampUp = "0s";
    return config;
  });

  /** Hints of IPv4 and TTL of the HTTPS record, which the decoder leaves as octets. */
  const https = async (subnet: string): Promise<{ hints: string[]; ttl: number | undefined }> => {
    // 65 is HTTPS; the encoder knows it by its number alone.
    const packet = queryPacket(Math.floor(Math.random() * 0xffff), LIVE, "A", subnet);
    packet.writeUInt16BE(65, packet.indexOf(Buffer.from([0, 0, 1, 0, 1])) + 1);
    const reply = await service.dns.send(packet, 10_000);
    const [record] = decode(reply ?? Buffer.alloc(0)).answers ?? [];
    const octets = (record as unknown as { data: Buffer }).data;
    const at = octets.indexOf(Buffer.from([0, 4, 0, 8]));
    const values = [...octets.subarray(at + 4, at + 12)];
    const hints = [values.slice(0, 4), values.slice(4)].map((address) => address.join("."));
    return { hints, ttl: (record as { ttl?: number }).ttl };
  };

  it("RFC 9460 7.3: HTTPS hints are the A records of every client", { timeout: 120_000 }, async () => {
    const seen = new Set<string>();
    for (let i = 1; i <= 200; i++) {
      const subnet = `${1 + ((i * 37) % 220)}.${(i * 101) % 256}.${(i * 7) % 256}.0/24`;
      const { addresses, ttlSeconds } = await service.dns.ask(LIVE, { subnet, timeoutMs: 10_000 });
      const { hints, ttl } = await https(subnet);
      expect(hints, subnet).toEqual(addresses);
      expect(ttl).toBe(ttlSeconds);
      seen.add(hints.join());
    }
    expect(seen.size).toBeGreaterThan(2);
  });

  it("has a short TTL where an edge that drains is missed, and explain says so", async () => {
    const ttlFor = async (from: string) => (await service.dns.ask(LIVE, { subnet: `${from}/24` })).ttlSeconds;
    const network24 = (address: string): string => address.replace(/\d+$/, "0");
    const [london, tokyo] = [network24(LONDON), network24(TOKYO)];
    expect([await ttlFor(london), await ttlFor(tokyo)]).toEqual([20, 20]);
    await service.ops("PUT", "/v1/edges/nyc1/state", { state: "drain", reason: "a test" });
    await waitFor(async () => (await ttlFor(london)) === 5, 20_000, "the TTL to be short");
    expect((await https(`${london}/24`)).ttl).toBe(5);
    const explained = await service.ops("GET", `/v1/explain?hostname=${LIVE}&ip=${london}/24`);
    expect(explained.json.ttlSeconds).toBe(5);
    await service.ops("PUT", "/v1/edges/nyc1/state", { state: "active" });
    await waitFor(async () => (await ttlFor(london)) === 20, 20_000, "the TTL to be long again");
  }, 60_000);
});
