import { describe, expect, it } from "vitest";
import { parseAddress } from "../../src/base/address.ts";
import { sign } from "../../src/http/signature.ts";
import type { Address } from "../../src/model/address.ts";
import type { Signing } from "../../src/model/service.ts";

const VIEWER = parseAddress("192.0.2.7") as Address;
const signing = (rest: Partial<Signing>): Signing => ({
  scheme: "secure-link",
  keys: [{ secret: "secret" }],
  ttlSeconds: 300,
  over: "path",
  bindsAddress: false,
  ...rest,
});

describe("secure-link", () => {
  it("is what nginx documents: printf '2147483647/s/link127.0.0.1 secret' | openssl md5 -binary, as base64url", () => {
    const nowMs = (2_147_483_647 - 300) * 1000;
    const local = parseAddress("127.0.0.1") as Address;
    expect(sign(signing({ bindsAddress: true }), "/s/link", local, nowMs)).toEqual({
      signature: "_e4Nc3iduzkWRm01TBBNYw",
      expires: "2147483647",
      key: "",
      parameters: "md5=_e4Nc3iduzkWRm01TBBNYw&expires=2147483647",
    });
  });

  it("over a folder is the same for every file in it", () => {
    const at = (path: string) => sign(signing({ over: "folder" }), path, VIEWER, 0).signature;
    expect(at("/live/cup/a.m3u8")).toBe(at("/live/cup/b.ts"));
    expect(at("/live/cup/a.m3u8")).not.toBe(at("/live/cups/a.m3u8"));
    expect(sign(signing({}), "/a", VIEWER, 0).signature).not.toBe(
      sign(signing({}), "/b", VIEWER, 0).signature,
    );
  });
});

describe("hmac", () => {
  it("is HMAC-SHA256 over expiry, path and address: openssl dgst -sha256 -hmac", () => {
    const nowMs = (2_147_483_647 - 300) * 1000;
    const keys = [{ id: "k1", secret: "secret-key" }];
    expect(
      sign(signing({ scheme: "hmac", keys, bindsAddress: true }), "/live/a.m3u8", VIEWER, nowMs),
    ).toEqual({
      signature: "oifTPKU7irH6u_5th_v65EhZttFd1VUdBdH9TLrI7L8",
      expires: "2147483647",
      key: "k1",
      parameters: "token=oifTPKU7irH6u_5th_v65EhZttFd1VUdBdH9TLrI7L8&expires=2147483647&key=k1",
    });
  });
});

describe("wmsauth", () => {
  const wms = (rest: Partial<Signing>, path: string, nowMs: number): string => {
    const { parameters } = sign(
      signing({ scheme: "wmsauth", keys: [{ secret: "defaultpassword" }], ...rest }),
      path,
      VIEWER,
      nowMs,
    );
    expect(parameters).toMatch(/^wmsAuthSign=[A-Za-z0-9]+=*$/);
    return Buffer.from(parameters.slice("wmsAuthSign=".length), "base64").toString("latin1");
  };

  it("is what Softvelum publishes: the MD5 of address, key, time and minutes", () => {
    // printf '192.0.2.7defaultpassword5/4/2012 8:33:05 AM20' | openssl md5 -binary | openssl base64
    expect(wms({ ttlSeconds: 1200, bindsAddress: true }, "/x", Date.UTC(2012, 4, 4, 8, 33, 5))).toBe(
      "server_time=5/4/2012 8:33:05 AM&hash_value=xbS0VIa9Wzpx58WLzAMVOA==&validminutes=20",
    );
  });

  it("has the form of the published example", () => {
    const published =
      "c2VydmVyX3RpbWU9NS80LzIwMTIgODozMzowNSBBTSZoYXNoX3ZhbHVlPXE3MjN6aEVmdGFUOUJoWjBQTmw1TVE9PSZ2YWxpZG1pbnV0ZXM9MjA2";
    const shape = (text: string): string =>
      text.replace(/hash_value=[^&]*/, "hash_value=").replace(/\d+$/, "");
    expect(shape(wms({ ttlSeconds: 1200 }, "/x", Date.UTC(2012, 4, 4, 8, 33, 5)))).toBe(
      shape(Buffer.from(published, "base64").toString("latin1")),
    );
  });

  it("is bound to a stream when it is over the folder", () => {
    // printf 'defaultpassword12/31/2029 12:00:09 AM5live/stream' | openssl md5 -binary | openssl base64
    expect(wms({ over: "folder" }, "/live/stream/playlist.m3u8", Date.UTC(2029, 11, 31, 0, 0, 9))).toBe(
      "server_time=12/31/2029 12:00:09 AM&hash_value=pzBTirS2VA1WsIuUNoutlA==&validminutes=5&strm_len=11",
    );
  });
});

describe("keys", () => {
  const keys = [
    { id: "new", secret: "b", fromMs: 2000 },
    { id: "old", secret: "a" },
    { id: "newer", secret: "c", fromMs: 3000 },
  ];
  it.each([
    [0, "old"],
    [1999, "old"],
    [2000, "new"],
    [3000, "newer"],
    [9e12, "newer"],
  ])("at %d: %s", (nowMs, id) => expect(sign(signing({ keys }), "/", VIEWER, nowMs).key).toBe(id));

  it("sign even before the first begins", () => {
    expect(sign(signing({ keys: [{ id: "only", secret: "x", fromMs: 5000 }] }), "/", VIEWER, 0).key).toBe(
      "only",
    );
  });
});
