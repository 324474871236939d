import { once } from "node:events";
import { connect } from "node:net";
import { buffer } from "node:stream/consumers";
import { expect, it } from "vitest";
import { createConnections } from "../../src/dns/connections.ts";
import { openStreamSockets } from "../../src/dns/stream-door.ts";
import { Streams } from "../../src/dns/streams.ts";
import { LIBC } from "./batched.ts";

const CLIENTS = 200;
const QUERY = Buffer.from("000c123401000000000000000000", "hex");
const HEADER_OCTETS = 12;

it.skipIf(LIBC.kind === "unavailable")("all who wait to be accepted are answered at the end", async () => {
  if (LIBC.kind === "unavailable") return;
  const opened = openStreamSockets(LIBC.libc, [{ host: "127.0.0.1", port: 0 }]);
  const streams = new Streams(LIBC.libc, opened.sockets, {
    respond(query, length, _source, _transport, reply) {
      reply.set(query.subarray(0, length));
      return HEADER_OCTETS;
    },
    connections: createConnections(),
    counters: { dropped: () => {} },
    onShortage: () => expect.unreachable("there are descriptors enough"),
  });
  const clients = Array.from({ length: CLIENTS }, () => connect(opened.endpoints[0]?.port ?? 0, "127.0.0.1"));
  await Promise.all(
    clients.map(async (client) => {
      await once(client, "connect");
      await new Promise((written) => client.write(QUERY, written));
    }),
  );
  streams.finish(500);
  opened.close();
  const replies = await Promise.all(clients.map((client) => buffer(client)));
  expect(replies.filter((reply) => reply.equals(QUERY))).toHaveLength(CLIENTS);
});
