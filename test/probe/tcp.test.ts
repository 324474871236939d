import { expect, it } from "vitest";
import { systemClock } from "../../src/base/clock.ts";
import { probeTcp } from "../../src/probe/tcp.ts";
import { address, tcpProbe } from "./inventory.ts";
import { closedPort, serveTcp } from "./servers.ts";

const context = { clock: systemClock };

it("succeeds when the port accepts, and closes the connection", async () => {
  const { port, open, stats } = await serveTcp(() => {});
  const result = await probeTcp(address("127.0.0.1"), tcpProbe(port), context);
  expect(result).toMatchObject({ ok: true, steps: [{ name: "connect" }] });
  await expect.poll(() => [stats.connections, open.size]).toEqual([1, 0]);
});

it("tells a port where nobody listens", async () => {
  const result = await probeTcp(address("127.0.0.1"), tcpProbe(await closedPort()), context);
  expect(result).toMatchObject({ ok: false, reason: "refused" });
});

it("reaches IPv6", async () => {
  const { port } = await serveTcp(() => {}, "::1");
  expect(await probeTcp(address("::1"), tcpProbe(port), context)).toMatchObject({ ok: true });
  expect(await probeTcp(address("127.0.0.1"), tcpProbe(port), context)).toMatchObject({ reason: "refused" });
});
