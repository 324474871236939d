import { once } from "node:events";
import { connect } from "node:net";
import { setImmediate as nextTurn } from "node:timers/promises";
import { expect, it } from "vitest";
import { keepNewcomersOut } from "../../src/base/newcomers.ts";
import { listenTogether } from "../../src/http-loop/sockets.ts";
import { LIBC } from "../http/loop-door.ts";

it.skipIf(LIBC.kind === "unavailable").each(["127.0.0.1", "::1"])(
  "who comes to %s when nobody new is let in is refused once it is closed, and never connected",
  async (host) => {
    if (LIBC.kind === "unavailable") return;
    const { libc } = LIBC;
    const { sockets, endpoint } = listenTogether(libc, {
      scheme: "HTTP",
      endpoint: { host, port: 0 },
      count: 2,
      ipv6Only: true,
      inherited: [],
    });
    const fds = sockets.map(({ fd }) => fd);
    const early = connect(endpoint.port, host);
    await once(early, "connect");
    keepNewcomersOut(fds);
    const late = connect(endpoint.port, host);
    const outcome = new Promise<string>((resolve) => {
      late.once("connect", () => resolve("connected"));
      late.once("error", ({ code }: NodeJS.ErrnoException) => resolve(String(code)));
    });
    // Its first segment is on its way by then.
    await nextTurn();
    await nextTurn();
    const accepted = fds.map((fd) => libc.accept4(fd, 0n, 0n, 0)).filter((fd) => fd >= 0);
    expect(accepted, "who had connected before").toHaveLength(1);
    for (const fd of fds) libc.close(fd);
    expect(await outcome).toBe("ECONNREFUSED");
    await new Promise((written) => early.write("still heard", written));
    const heard = new Uint8Array(64);
    const come = libc.recv(accepted[0] as number, heard, heard.length, 0);
    expect(Buffer.from(heard.subarray(0, come)).toString()).toBe("still heard");
    for (const fd of accepted) libc.close(fd);
    early.destroy();
  },
);
