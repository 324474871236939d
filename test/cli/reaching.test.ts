import { mkdtempSync, writeFileSync } from "node:fs";
import { createServer as createTcpServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { createActions } from "../../src/commands/actions.ts";
import { done } from "../../src/cli/answer.ts";
import { AMS1, edgeward, problem, startFakeOps } from "./fixture.ts";

function fileOf(text: string): string {
  const file = join(mkdtempSync(join(tmpdir(), "edgeward-")), "e.yaml");
  writeFileSync(file, text);
  return file;
}

describe("reaching the service", () => {
  it("goes where the configuration says, unless --server says otherwise", async () => {
    const fake = await startFakeOps({ "GET /v1/edges": [200, []], "GET /under/v1/edges": [200, [AMS1]] });
    const files: string[] = [];
    const actions = {
      defaultServer: (file: string) => {
        files.push(file);
        return Promise.resolve(done(fake.url));
      },
    };
    expect(await edgeward(["edges", "-c", "other.yaml"], { actions })).toMatchObject({
      code: 0,
      out: "no edges\n",
    });
    expect(files).toEqual(["other.yaml"]);
    expect((await edgeward(["edges", "--server", `${fake.url}/under`], { actions })).out).toContain("ams1");
    expect(files).toHaveLength(1);
  });

  it("exits 3 where the file that was named is not there: another service may be at the usual address", async () => {
    const actions = createActions();
    const { code, err } = await edgeward(["edges", "-c", "/nowhere/e.yaml"], { actions });
    expect(code).toBe(3);
    expect(err).toContain("/nowhere/e.yaml:1:1: does not exist; name the configuration with -c FILE");
    expect(await actions.defaultServer("config/edgeward.yaml")).toEqual(done("http://127.0.0.1:9153"));
  });

  it.each([
    ["is no YAML", "listen: [", "e.yaml:1:10: wrong indentation, or a bracket above that is not closed"],
    [
      "names a variable that is not set",
      'listen: { ops: "${NOT_SET_HERE}:9153" }',
      "e.yaml:1:16: listen.ops: NOT_SET_HERE is not set in the environment",
    ],
    ["has no address there", "listen: { ops: 9153 }", "e.yaml:1:16: listen.ops: 9153 is not an address"],
    ["is empty", "", "e.yaml:1:1: is empty"],
  ])("exits 3 where the file that was named %s, and says how to name the service", async (_, text, said) => {
    const file = fileOf(text);
    const { code, err } = await edgeward(["drain", "ams1", "-c", file], { actions: createActions() });
    expect([code, err]).toEqual([3, expect.stringContaining(said)]);
    expect(err).toContain("name that with --server URL");
  });

  it.each([
    ["is wrong elsewhere", 'listen: { ops: "127.0.0.9:1", dns: x }\nedgs: {}', "http://127.0.0.9:1"],
    [
      "wants variables elsewhere",
      'listen: { ops: "[::1]:1", http: ["${NOT_SET_HERE}:1"] }',
      "http://[::1]:1",
    ],
    ["leaves it out", "listen:\n  ops:\nzones: {}", undefined],
  ])("asks where the file says though it %s", async (_, text, server) => {
    expect(await createActions().defaultServer(fileOf(text))).toEqual(done(server));
  });

  it("exits 4 and names the address and the remedy when nobody listens there", async () => {
    const url = await closedPort();
    const { code, out, err } = await edgeward(["edges"], { server: url });
    expect([code, out]).toEqual([4, ""]);
    expect(err).toContain(`cannot reach the service at ${url}/: connection refused`);
    expect(err).toContain("--server");
  });

  it("exits 4 when the connection is closed without an answer", async () => {
    const server = createTcpServer((socket) => socket.destroy());
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    const { code, err } = await edgeward(["edges", "--server", `http://127.0.0.1:${port}`]);
    server.close();
    expect(code).toBe(4);
    expect(err).toContain("it closed the connection");
  });

  it.each([
    ["a web page", 200, "<html>hello</html>"],
    ["another page's 404", 404, "not found"],
    ["JSON of another kind", 200, { hello: "world" }],
    ["edges with a hole", 200, [AMS1, { id: "sin1" }]],
    ["null", 200, "null"],
    ["the viewers' door", 421, { title: "Misdirected Request", status: 421 }],
    ["an edgeward that has nothing at that path", ...problem(404, "not-found", "There is nothing here")],
  ])("exits 4 when %s answers there", async (_, status, body) => {
    const { url } = await startFakeOps({ "GET /v1/edges": [status, body] });
    const { code, err } = await edgeward(["edges", "--server", url]);
    expect(code).toBe(4);
    expect(err).toContain(`something answers ${status} there`);
  });

  it("exits 4 and says why when the service is not ready", async () => {
    const { url } = await startFakeOps({ "GET /v1/explain": problem(503, "not-ready", "Not ready yet") });
    const { code, err } = await edgeward(["explain", "live.example.net", "203.0.113.7", "--server", url]);
    expect(code).toBe(4);
    expect(err).toContain("it answered 503, Not ready yet");
  });

  it("exits 1 and tells a missing token from a wrong one and from too small a role", async () => {
    const { url } = await startFakeOps({
      "GET /v1/edges": problem(401, "unauthorized", "A valid token is needed"),
      "POST /v1/reload": problem(403, "forbidden", "The token's role does not allow this"),
    });
    const missing = await edgeward(["edges", "--server", url]);
    expect(missing.code).toBe(1);
    expect(missing.err).toContain("set EDGEWARD_TOKEN");
    const wrong = await edgeward(["edges", "--server", url], { token: "s3cret" });
    expect(wrong.code).toBe(1);
    expect(wrong.err).toContain("does not know this token");
    const viewer = await edgeward(["reload", "--server", url], { token: "s3cret" });
    expect(viewer).toMatchObject({
      code: 1,
      err: "edgeward: the service does not allow this: The token's role does not allow this\n",
    });
    expect(wrong.err + viewer.err).not.toContain("s3cret");
  });

  it("sends no token that would break the request, nor one given as an argument", async () => {
    const fake = await startFakeOps({ "GET /v1/edges": [200, []] });
    const broken = await edgeward(["edges", "--server", fake.url], { token: "a\r\nX-Evil: 1" });
    expect(broken.code).toBe(1);
    expect((await edgeward(["edges", "--token", "abc", "--server", fake.url])).code).toBe(2);
    expect((await edgeward(["edges", "--server", "http://user:pass@127.0.0.1:1"])).code).toBe(2);
    expect((await edgeward(["edges", "--server", "ftp://127.0.0.1"])).code).toBe(2);
    expect(fake.asked).toEqual([]);
  });

  it("does not carry the token to where a redirect points", async () => {
    const other = await startFakeOps({ "GET /v1/edges": [200, []] });
    const fake = await startFakeOps({ "GET /v1/edges": [302, {}, { location: `${other.url}/v1/edges` }] });
    const { code } = await edgeward(["edges", "--server", fake.url], { token: "s3cret" });
    expect(code).toBe(4);
    expect(other.asked).toEqual([]);
  });
});

async function closedPort(): Promise<string> {
  const fake = await startFakeOps({});
  await fake.stop();
  return fake.url;
}
