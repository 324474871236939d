import { once } from "node:events";
import { connect } from "node:net";
import { text } from "node:stream/consumers";
import { expect, it } from "vitest";
import { systemClock } from "../../src/base/clock.ts";
import { openWake } from "../../src/base/eventfd.ts";
import { DEFAULT_LIMITS } from "../../src/http/limits.ts";
import { createLoop } from "../../src/http-loop/loop.ts";
import { listenTogether } from "../../src/http-loop/sockets.ts";
import { LIBC } from "../http/loop-door.ts";

const silent = { info: () => {}, warn: () => {}, error: () => {} };

it.skipIf(LIBC.kind === "unavailable")("answers all who wait to be accepted when it ends", async () => {
  if (LIBC.kind === "unavailable") return;
  const { libc } = LIBC;
  const { sockets, endpoint } = listenTogether(libc, {
    scheme: "HTTP",
    endpoint: { host: "127.0.0.1", port: 0 },
    count: 1,
    ipv6Only: false,
    inherited: [],
  });
  const wakeFd = openWake(libc);
  const loop = createLoop({
    libc,
    sockets,
    wakeFd,
    limits: DEFAULT_LIMITS,
    marks: new Uint8Array(1 << 20),
    fields: [],
    respond: () => ({ status: 204, headers: {}, body: "" }),
    isBalancer: () => false,
    handOver: () => expect.unreachable("each has asked"),
    onSilent: () => {},
    onRefused: () => {},
    log: silent,
    clock: systemClock,
  });
  const clients = Array.from({ length: 200 }, () => connect(endpoint.port, "127.0.0.1"));
  await Promise.all(
    clients.map(async (client) => {
      await once(client, "connect");
      await new Promise((written) => client.write("GET / HTTP/1.1\r\nHost: a.example\r\n\r\n", written));
    }),
  );
  loop.finish();
  for (const { fd } of [...sockets, { fd: wakeFd }]) libc.close(fd);
  const answers = await Promise.all(clients.map((client) => text(client)));
  expect(answers.filter((answer) => answer.startsWith("HTTP/1.1 204 "))).toHaveLength(200);
});
