import { describe, expect, it } from "vitest";
import { parseAddress, parsePrefix } from "../../src/base/address.ts";
import { refusalOfResolved, refusalOfWritten, resolveReachable } from "../../src/base/reach.ts";
import type { Address, Prefix } from "../../src/model/address.ts";

const address = (text: string) => parseAddress(text) as Address;
const own = [
  { host: "192.0.2.1", port: 8080 },
  { host: "0.0.0.0", port: 9153 },
];
const reach = { allowed: [], own };

describe("an address that the operator wrote", () => {
  it.each([
    ["169.254.169.254", "link-local"],
    ["::ffff:169.254.169.254", "link-local"],
    ["64:ff9b::a9fe:a9fe", "link-local"],
    ["fe80::1", "link-local"],
    ["0.0.0.0", "unspecified"],
    ["::", "unspecified"],
    ["224.0.0.1", "multicast"],
    ["ff02::1", "multicast"],
    ["255.255.255.255", "broadcast"],
  ])("is refused: %s", (text, refusal) => {
    expect(refusalOfWritten(address(text), reach)).toBe(refusal);
  });

  it.each(["127.0.0.1", "::1", "10.0.0.1", "192.0.2.1", "2001:db8::1"])("may be reached: %s", (text) => {
    expect(refusalOfWritten(address(text), reach)).toBeUndefined();
  });

  it("may be reached when it is allowed", () => {
    const allowed = [parsePrefix("169.254.0.0/16") as Prefix];
    expect(refusalOfWritten(address("169.254.169.254"), { allowed, own })).toBeUndefined();
  });
});

describe("an address that a name resolved to", () => {
  it("must not be our inside", () => {
    expect(refusalOfResolved(address("127.0.0.1"), 80, reach)).toBe("loopback");
    expect(refusalOfResolved(address("::1"), 80, reach)).toBe("loopback");
    expect(refusalOfResolved(address("192.0.2.1"), 8080, reach)).toBe("own-listener");
    expect(refusalOfResolved(address("192.0.2.1"), 80, reach)).toBeUndefined();
    expect(refusalOfResolved(address("169.254.169.254"), 80, reach)).toBe("link-local");
  });

  it("is taken from those that may be reached", async () => {
    const both = async () => ["127.0.0.1", "192.0.2.9"];
    expect(await resolveReachable("edge.test", 80, reach, both)).toEqual({
      kind: "addresses",
      addresses: [address("192.0.2.9")],
    });
    const inside = async () => ["127.0.0.1"];
    expect(await resolveReachable("edge.test", 80, reach, inside)).toEqual({
      kind: "refused",
      refusal: "loopback",
    });
    const none = async () => Promise.reject(Object.assign(new Error("no"), { code: "ENOTFOUND" }));
    expect(await resolveReachable("edge.test", 80, reach, none)).toEqual({
      kind: "not-found",
      code: "ENOTFOUND",
    });
  });

  it("is no matter for a literal, with or without brackets", async () => {
    const addresses = [address("::1")];
    expect(await resolveReachable("[::1]", 80, reach)).toEqual({ kind: "addresses", addresses });
  });

  it("is refused on this machine's real resolver too", async () => {
    expect(await resolveReachable("localhost", 80, reach)).toEqual({ kind: "refused", refusal: "loopback" });
  });
});
