import { systemClock } from "../../src/base/clock.ts";
import { openWake } from "../../src/base/eventfd.ts";
import { loadLibc } from "../../src/base/libc.ts";
import { createCounts, httpMetrics, newCountedIn } from "../../src/http/counts.ts";
import { hasIpv4Twin } from "../../src/base/endpoint.ts";
import { type HttpDoor, type HttpDoorOptions, startHttpDoor } from "../../src/http/door.ts";
import { createLeanResponder, LEAN_FIELDS } from "../../src/http/lean.ts";
import { DEFAULT_LIMITS } from "../../src/http/limits.ts";
import { compileBalancers } from "../../src/http/proxied.ts";
import { createLoop } from "../../src/http-loop/loop.ts";
import { listenTogether } from "../../src/http-loop/sockets.ts";

export const LIBC = loadLibc();
if (LIBC.kind === "unavailable" && (process.env.CI || process.platform === "linux"))
  throw new Error(`the loop cannot be tested: ${LIBC.reason}`);

/** What a thread does, without a thread of its own: looked at in every turn of the event loop. */
export async function startLoopDoor(options: HttpDoorOptions): Promise<HttpDoor> {
  if (LIBC.kind === "unavailable") throw new Error(LIBC.reason);
  const { libc } = LIBC;
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  const counted = [newCountedIn(), newCountedIn()] as const;
  const door = await startHttpDoor({ ...options, endpoints: [], counted: counted[0] });
  const counts = createCounts(counted[1]);
  const responder = createLeanResponder({ ...options, limits, counts });
  const groups = options.endpoints.map((endpoint) =>
    listenTogether(libc, {
      scheme: "HTTP",
      endpoint,
      count: 1,
      ipv6Only: hasIpv4Twin(endpoint, options.endpoints),
      inherited: [],
    }),
  );
  const sockets = groups.flatMap((group) => group.sockets);
  const wakeFd = openWake(libc);
  let isBalancer = compileBalancers(options);
  const loop = createLoop({
    libc,
    sockets,
    wakeFd,
    limits,
    marks: new Uint8Array(1 << 20),
    fields: LEAN_FIELDS,
    respond: responder.respond,
    isBalancer: (peer) => isBalancer(peer),
    handOver: door.adopt,
    onSilent: () => counts.rejected("timeout"),
    onRefused: () => counts.rejected("proxy-header"),
    log: options.log,
    clock: systemClock,
  });
  let isOpen = true;
  const turn = (): void => {
    if (!isOpen) return;
    loop.turn(0);
    setTimeout(turn, 1);
  };
  turn();
  return {
    ...door,
    endpoints: groups.map(({ endpoint }) => endpoint),
    metrics: () => httpMetrics(counted),
    take(inventory) {
      door.take(inventory);
      responder.take(inventory);
      isBalancer = compileBalancers(inventory);
    },
    async stop() {
      if (isOpen) {
        isOpen = false;
        loop.finish();
        for (const { fd } of [...sockets, { fd: wakeFd }]) libc.close(fd);
      }
      await door.stop();
    },
  };
}
