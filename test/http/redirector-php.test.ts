import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { AMSTERDAM, ask, decisionOf, LIVE, openDoor, serviceOf, type TestDoor } from "./fixture.ts";

const PHP = serviceOf({ http: { ...LIVE.http, redirectorPhp: true } });

describe("/redirector.php", () => {
  let test: TestDoor;
  beforeAll(async () => {
    test = await openDoor({ services: [PHP] });
    test.answerWith(() => decisionOf([AMSTERDAM], { service: PHP }));
  });
  afterAll(() => test.door.stop());

  const locationOf = async (target: string): Promise<string | undefined> =>
    (await ask(test.port, `GET ${target} HTTP/1.1`)).headers["location"]?.replace(
      "http://127.0.0.11:8081",
      "",
    );

  it.each([
    ["/redirector.php?u=/live/stream.m3u8", "/live/stream.m3u8"],
    ["/redirector.php?u=/live/stream.m3u8&token=abc", "/live/stream.m3u8?token=abc"],
    ["/redirector.php?token=a%26b&u=/live/stream.m3u8&t=1", "/live/stream.m3u8?token=a%26b&t=1"],
    ["/redirector.php?u=%2Flive%2Fstream.m3u8%3Fa%3D1%26b&token=x", "/live/stream.m3u8?a=1&b&token=x"],
    ["/redirector.php?u=/a%20b+c%2B", "/a%20b%20c+"],
    ["/redirector.php?u=/caf%C3%A9%23x", "/caf%C3%A9%23x"],
    ["/redirector.php?u=/a%2520b", "/a%20b"],
    ["/redirector.php?u=/a&u=/b", "/b"],
    ["/redirector.php?u=/a%0D%0ASet-Cookie:x", "/a%0D%0ASet-Cookie:x"],
    ["/redirector.php?u=//evil.example.org/", "//evil.example.org/"],
    ["/redirector.php/x?u=/a", "/redirector.php/x?u=/a"],
  ])("%s leads to %s", async (target, location) => {
    expect(await locationOf(target)).toBe(location);
  });

  it("lets the stream be known by the path inside", async () => {
    await locationOf("/redirector.php?u=/live/stream.m3u8&token=abc");
    expect(test.questions.at(-1)).toMatchObject({ path: "/live/stream.m3u8" });
  });

  it.each([
    ["/redirector.php"],
    ["/redirector.php?u="],
    ["/redirector.php?u=live/x"],
    ["/redirector.php?u=@evil.example.org/"],
    ["/redirector.php?u=http://evil.example.org/"],
    ["/redirector.php?u=/%zz"],
    ["/redirector.php?u[]=/a"],
  ])("%s is refused", async (target) => {
    expect((await ask(test.port, `GET ${target} HTTP/1.1`)).status).toBe(400);
  });

  it("leads to no path of our own", async () => {
    expect((await ask(test.port, "GET /redirector.php?u=/.edgeward/x HTTP/1.1")).status).toBe(404);
  });

  it("is a path like any other where it is not switched on", async () => {
    test.door.take({ services: [LIVE], trustedProxies: [] });
    test.answerWith(() => decisionOf([AMSTERDAM]));
    expect(await locationOf("/redirector.php?u=/a")).toBe("/redirector.php?u=/a");
  });
});
