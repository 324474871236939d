import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { identify } from "../../src/acme/accounts.ts";
import { createAcmeApi } from "../../src/acme/api.ts";
import { createChallenges } from "../../src/acme/challenges.ts";
import type { ChallengeValues } from "../../src/model/acme.ts";
import { createFakeClock } from "../base/fake-clock.ts";

const LIVE = "live.example.net";
const HOUR = { by: "eva", lastsMs: 3_600_000 };

function setUp() {
  const clock = createFakeClock();
  let told: ChallengeValues = new Map();
  const store = createChallenges({ clock, onChange: (values) => (told = values) });
  return { clock, store, told: (hostname = LIVE) => told.get(hostname) };
}

describe("values for certificate authorities", () => {
  it("are told at once, newest first, and go when their time is over", async () => {
    const { clock, store, told } = setUp();
    store.add(LIVE, "one", HOUR);
    await clock.advance(1000);
    store.add(LIVE, "two", { ...HOUR, lastsMs: 5000 });
    expect(told()).toEqual(["two", "one"]);
    await clock.advance(4999);
    expect(told()).toEqual(["two", "one"]);
    await clock.advance(1);
    expect(told()).toEqual(["one"]);
    await clock.advance(3_600_000);
    expect(told()).toBeUndefined();
    expect(store.list()).toEqual([]);
  });

  it("last anew when set again", async () => {
    const { clock, store, told } = setUp();
    store.add(LIVE, "one", { ...HOUR, lastsMs: 1000 });
    await clock.advance(900);
    store.add(LIVE, "one", { ...HOUR, lastsMs: 1000 });
    await clock.advance(900);
    expect(told()).toEqual(["one"]);
    await clock.advance(100);
    expect(told()).toBeUndefined();
  });

  it("are the two newest where an acme-dns client sets them", () => {
    const { store, told } = setUp();
    for (const value of ["one", "two", "three", "two"]) store.replaceOldest(LIVE, value, HOUR);
    expect(told()).toEqual(["two", "three"]);
  });

  it("can be taken away one by one, or all of a hostname", () => {
    const { store, told } = setUp();
    for (const value of ["one", "two", "three"]) store.add(LIVE, value, HOUR);
    store.add("vod.example.net", "one", HOUR);
    expect(store.remove(LIVE, "two")).toBe(1);
    expect(store.remove(LIVE, "two")).toBe(0);
    expect(told()).toEqual(["three", "one"]);
    expect(store.remove(LIVE)).toBe(2);
    expect(told()).toBeUndefined();
    expect(told("vod.example.net")).toEqual(["one"]);
  });

  it("are not more for a name than fit an answer", () => {
    const { store } = setUp();
    for (let i = 0; i < 50; i++) expect(store.add(LIVE, `value${i}`, HOUR)).toBe("set");
    expect(store.add(LIVE, "one too many", HOUR)).toBe("too-many");
    expect(store.add(LIVE, "value7", HOUR)).toBe("set");
  });

  it("go with a hostname that is no longer ours", () => {
    const { store, told } = setUp();
    store.add(LIVE, "one", HOUR);
    store.add("vod.example.net", "one", HOUR);
    store.keep((hostname) => hostname !== LIVE);
    expect(told()).toBeUndefined();
    expect(told("vod.example.net")).toEqual(["one"]);
  });
});

const KEY = "htB9mR9DYgcu9bX";
const ACCOUNT = {
  username: "app",
  sha256: createHash("sha256").update(KEY).digest("hex"),
  subdomain: "sub",
  hostname: LIVE,
};
const DIGEST = "a".repeat(43);

describe("who may set them", () => {
  it("is known by name and key, both right", () => {
    expect(identify([ACCOUNT], { username: "app", key: KEY })).toBe(ACCOUNT);
    for (const wrong of [
      { username: "app", key: "" },
      { username: "app", key: `${KEY}x` },
      { username: "", key: KEY },
      { username: "App", key: KEY },
    ])
      expect(identify([ACCOUNT], wrong)).toBeUndefined();
    expect(identify([], { username: "app", key: KEY })).toBeUndefined();
  });

  it("sets what looks like a digest, for its own subdomain alone", () => {
    const { store, told } = setUp();
    const api = createAcmeApi(
      store,
      () => [ACCOUNT],
      () => true,
    );
    const update = (subdomain: string, value: string, key = KEY): string =>
      api.update({ username: "app", key }, subdomain, value).kind;
    expect(update("sub", DIGEST)).toBe("set");
    expect(told()).toEqual([DIGEST]);
    expect(update("other", DIGEST)).toBe("unauthorized");
    expect(update("sub", DIGEST, "wrong")).toBe("unauthorized");
    expect(update("sub", "short")).toBe("refused");
    expect(update("sub", '"'.repeat(43))).toBe("refused");
  });

  it("an operator sets any text at a served hostname, a wildcard's too", () => {
    const { store, told } = setUp();
    const api = createAcmeApi(
      store,
      () => [],
      (hostname) => hostname === LIVE,
    );
    expect(api.set("*.Live.Example.net.", "text", "eva", 1000).kind).toBe("done");
    expect(told()).toEqual(["text"]);
    expect(api.set("other.net", "text", "eva", 1000).kind).toBe("unknown-hostname");
    for (const bad of ["", "a b", "ä", "x".repeat(256)])
      expect(api.set(LIVE, bad, "eva", 1000).kind).toBe("refused");
    expect(api.remove(LIVE)).toMatchObject({ kind: "done", removed: 1 });
  });
});

describe("a name that cannot be", () => {
  const long = `${"a".repeat(55)}.${"a".repeat(55)}.${"a".repeat(55)}.${"a".repeat(58)}.example.net`;

  it.each([
    ["of more than 253 characters with its label in front", long],
    ["with an empty label", "a..example.net"],
    ["with a label of 64 characters", `${"a".repeat(64)}.example.net`],
    ["with octets that no hostname has", "a b.example.net"],
  ])("RFC 1035 2.3.4: one %s is told to nobody, though a wildcard covers it", (_what, hostname) => {
    const { store, told } = setUp();
    const account = { ...ACCOUNT, hostname };
    const api = createAcmeApi(
      store,
      () => [account],
      () => true,
    );
    expect(api.set(hostname, "text", "eva", 1000).kind).toBe("refused");
    expect(api.update({ username: "app", key: KEY }, "sub", DIGEST).kind).toBe("refused");
    expect(told(hostname)).toBeUndefined();
  });

  it("is none that just fits", () => {
    const { store, told } = setUp();
    const api = createAcmeApi(
      store,
      () => [],
      () => true,
    );
    const longest = long.slice(long.length - (253 - "_acme-challenge.".length));
    expect(api.set(longest, "text", "eva", 1000).kind).toBe("done");
    expect(told(longest)).toEqual(["text"]);
  });
});

describe("values that another process was told", () => {
  it("are answered here for the rest of their time", async () => {
    const first = setUp();
    first.store.add(LIVE, "one", HOUR);
    first.store.add(LIVE, "two", { ...HOUR, lastsMs: 5000 });
    await first.clock.advance(2000);
    const next = setUp();
    next.store.add(LIVE, "gone by then", HOUR);
    next.store.remember(first.store.memory());
    expect(next.told()).toEqual(["two", "one"]);
    await next.clock.advance(2999);
    expect(next.told()).toEqual(["two", "one"]);
    await next.clock.advance(1);
    expect(next.told()).toEqual(["one"]);
  });
});
