import { once } from "node:events";
import { createServer as createHttpsServer } from "node:https";
import { type AddressInfo, createServer as createTcpServer } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import { createDeliverer, type DelivererOptions } from "../../src/agent/deliver.ts";
import { serveFake } from "../load/fakes/server.ts";
import { authority, certificate, privateKey } from "../probe/certificates.ts";

function delivererTo(url: string, more: Partial<DelivererOptions> = {}) {
  const deliverer = createDeliverer({ server: new URL(url), edgeId: "ams1", timeoutMs: 1000, ...more });
  onTestFinished(() => deliverer.close());
  return deliverer;
}

describe("a delivery", () => {
  it("puts the report at the edge's address with the token, under the server's own path", async () => {
    const bodies: string[] = [];
    const authorizations: unknown[] = [];
    const { url, asked } = await serveFake((request, reply) => {
      authorizations.push(request.headers.authorization);
      request.on("data", (chunk: Buffer) => bodies.push(chunk.toString()));
      request.on("end", () => reply.writeHead(204).end());
    });
    const { deliver } = delivererTo(`${url}/edgeward`, { token: "t0k3n", edgeId: "a/b" });
    expect(await deliver({ viewers: 3 })).toEqual({ kind: "taken" });
    expect(asked).toEqual(["PUT /edgeward/v1/edges/a%2Fb/load"]);
    expect(bodies).toEqual(['{"viewers":3}']);
    expect(authorizations).toEqual(["Bearer t0k3n"]);
  });

  it.each([
    [401, "", /token is missing or not one of/],
    [
      403,
      { title: "Not yours", detail: "the token is for sin1\u001b[2J" },
      /Not yours: the token is for sin1\?/,
    ],
    [404, { title: "Unknown edge" }, /Unknown edge/],
    [422, "<html>", /answers 422$/],
    [302, "", /redirects are not followed/],
  ])("says what a %i means", async (status, body, problem) => {
    const { url, asked } = await serveFake((_, reply) =>
      reply
        .writeHead(status, { location: "/elsewhere" })
        .end(typeof body === "string" ? body : JSON.stringify(body)),
    );
    const delivery = await delivererTo(url, { token: "t" }).deliver({});
    expect(delivery).toMatchObject({ kind: "refused", status });
    expect(delivery).toHaveProperty("problem", expect.stringMatching(problem));
    expect(JSON.stringify(delivery)).not.toContain("\\u001b");
    expect(asked).toHaveLength(1);
  });

  it("is given up in time when the service is silent, and when nothing listens", async () => {
    const silent = createTcpServer(() => {}).listen(0, "127.0.0.1");
    await once(silent, "listening");
    const { port } = silent.address() as AddressInfo;
    const { deliver } = delivererTo(`http://127.0.0.1:${port}`, { timeoutMs: 200 });
    expect(await deliver({})).toEqual({ kind: "unreached", problem: "it does not answer in time" });
    silent.close();
    expect(await delivererTo(`http://127.0.0.1:${port}`).deliver({})).toEqual({
      kind: "unreached",
      problem: "connection refused",
    });
  });

  it("is given up when the answer does not end", async () => {
    const { url } = await serveFake((_, reply) => {
      reply.writeHead(500);
      for (let i = 0; i < 10; i++) reply.write("x".repeat(16 * 1024));
    });
    const delivery = await delivererTo(url).deliver({});
    expect(delivery).toEqual({ kind: "unreached", problem: "its answer is too long" });
  });

  it("checks the certificate, by the authority that it is given", async () => {
    const server = createHttpsServer({ cert: certificate, key: privateKey }, (_, reply) =>
      reply.writeHead(204).end(),
    ).listen(0, "127.0.0.1");
    await once(server, "listening");
    onTestFinished(() => {
      server.closeAllConnections();
      server.close();
    });
    const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
    expect(await delivererTo(url).deliver({})).toMatchObject({
      kind: "unreached",
      problem: "its certificate is of an unknown authority: name that with --ca",
    });
    expect(await delivererTo(url, { ca: authority }).deliver({})).toMatchObject({
      kind: "unreached",
      problem: "its certificate is for another name",
    });
  });
});
