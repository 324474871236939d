import { describe, expect, it } from "vitest";
import type { SteeringCall } from "../../src/model/steering.ts";
import { ask, doorForAll, LIVE, openDoor, trusted } from "./fixture.ts";

const HOST = "Host: live.example.net";

const manifest = '{"VERSION":1}';
const calls: SteeringCall[] = [];
const steer = (call: SteeringCall) => {
  calls.push(call);
  return call.query === "?ended" ? undefined : manifest;
};
const test = doorForAll({ trustedProxies: trusted("127.0.0.1/32"), steer });

describe("/.edgeward/steering", () => {
  const get = (line: string, fields = [HOST]) => ask(test.port, line, fields);

  it("answers with the manifest, which no cache keeps and every page may read", async () => {
    const reply = await get("GET /.edgeward/steering?_HLS_pathway=a HTTP/1.1", [`${HOST}:8080`]);
    expect(reply).toMatchObject({ status: 200, body: manifest });
    expect(reply.headers).toMatchObject({
      "content-type": "application/json",
      "cache-control": "no-store",
      "access-control-allow-origin": "*",
    });
    expect(calls.at(-1)).toMatchObject({
      service: LIVE,
      hostname: "live.example.net",
      query: "?_HLS_pathway=a",
      address: "http://live.example.net:8080/.edgeward/steering",
    });
    expect(calls.at(-1)).not.toHaveProperty("path");
    expect(test.questions).toEqual([]);
    expect(await get("HEAD /.edgeward/steering HTTP/1.1")).toMatchObject({ status: 200, body: "" });
  });

  it("takes what stands behind the address as the path of the stream", async () => {
    await get("GET /.edgeward/steering/live/a%2Fb.m3u8 HTTP/1.1");
    expect(calls.at(-1)).toMatchObject({
      path: "/live/a%2Fb.m3u8",
      address: "http://live.example.net/.edgeward/steering/live/a%2Fb.m3u8",
    });
  });

  it.each([
    ["X-Forwarded-Proto: https", "https"],
    ["X-Forwarded-Proto: http, HTTPS", "https"],
    ["X-Forwarded-Proto: gopher", "http"],
    ['Forwarded: for=192.0.2.1;proto=http, for=192.0.2.2;proto="https"', "https"],
  ])("%s, from a trusted proxy: %s", async (field, scheme) => {
    await get("GET /.edgeward/steering HTTP/1.1", [HOST, field]);
    expect(calls.at(-1)?.address).toBe(`${scheme}://live.example.net/.edgeward/steering`);
  });

  it("believes no scheme of anybody else", async () => {
    const untrusting = await openDoor({ steer: (call) => (calls.push(call), manifest) });
    await ask(untrusting.port, "GET /.edgeward/steering HTTP/1.1", [HOST, "X-Forwarded-Proto: https"]);
    expect(calls.at(-1)?.address).toBe("http://live.example.net/.edgeward/steering");
    await untrusting.door.stop();
  });

  it("is gone, for players to stop asking, once it has ended", async () => {
    expect(await get("GET /.edgeward/steering?ended HTTP/1.1")).toMatchObject({ status: 410 });
  });

  it("is read with GET, preflighted, and on hostnames of services only", async () => {
    const post = await get("POST /.edgeward/steering HTTP/1.1");
    expect(post).toMatchObject({ status: 405, headers: { allow: "GET, HEAD, OPTIONS" } });
    expect(await get("OPTIONS /.edgeward/steering HTTP/1.1")).toMatchObject({ status: 204 });
    expect(await get("GET /.edgeward/steering HTTP/1.1", ["Host: x.example"])).toMatchObject({ status: 421 });
    expect(await get("GET /.edgeward/steerings HTTP/1.1")).toMatchObject({ status: 404 });
  });
});

it.each(["/.edgeward", "/.edgeward/", "/.edgeward/other?s=1"])("%s is reserved: 404", async (path) => {
  expect((await ask(test.port, `GET ${path} HTTP/1.1`)).status).toBe(404);
});

it.each(["/.edgewardx", "//.edgeward/", "/x/.edgeward/"])("%s is redirected", async (path) => {
  const reply = await ask(test.port, `GET ${path} HTTP/1.1`);
  expect(reply.headers["location"]).toBe(`http://127.0.0.11:8081${path}`);
});
