import { spawn } from "node:child_process";
import { askAtPace, askUdp } from "./clients.mjs";
import { metric, pause, withEdgeward } from "./server.mjs";

/**
 * Has calls of a running process fail while `work` does.
 * @template T
 * @param {number} pid
 * @param {string} injection as strace has it
 * @param {() => Promise<T>} work
 */
async function withStrace(pid, injection, work) {
  const [call = ""] = injection.split(":");
  const strace = spawn(
    "strace",
    ["-qq", "-f", "-p", String(pid), "-e", `trace=${call}`, "-e", `inject=${injection}`],
    {
      stdio: ["ignore", "ignore", "pipe"],
    },
  );
  let injected = 0;
  strace.stderr.on("data", (chunk) => {
    injected += String(chunk).split("(INJECTED)").length - 1;
  });
  await pause(2000);
  const result = await work();
  strace.kill("SIGINT");
  await new Promise((resolve) => {
    strace.once("exit", resolve);
  });
  return { result, injected };
}

/** @type {readonly import("./fault.ts").Fault[]} */
export const faults = [
  ...["ENOBUFS", "EAGAIN", "EPERM"].map((error) => ({
    name: `send-${error.toLowerCase()}`,
    what: `every second sendmmsg fails with ${error} (strace), 100 queries per second for 3 s`,
    needs: ["strace"],
    run: (/** @type {string} */ folder) =>
      withEdgeward(folder, {}, async (server) => {
        const { dns: port } = server.ports;
        const load = { port, from: "127.0.3.1", perSecond: 100, seconds: 3 };
        const { result, injected } = await withStrace(
          server.child.pid,
          `sendmmsg:error=${error}:when=1+2`,
          () => askAtPace(load),
        );
        const lost = result.sent - result.full;
        const counted = await metric(server, 'edgeward_dns_dropped_total{reason="send-error"}');
        const after = await askUdp(port);
        return {
          held: lost === counted && injected <= result.sent && after !== undefined,
          figure: `${injected} injected, ${lost} lost, ${counted} counted; answered after`,
        };
      }),
  })),
  {
    name: "receive-refused",
    what: "every second recvmmsg fails with ECONNREFUSED (strace), as ICMP from forged clients brings it",
    needs: ["strace"],
    run: (folder) =>
      withEdgeward(folder, {}, async (server) => {
        const { dns: port } = server.ports;
        const load = { port, from: "127.0.3.1", perSecond: 100, seconds: 3 };
        const { result, injected } = await withStrace(
          server.child.pid,
          "recvmmsg:error=ECONNREFUSED:when=1+2",
          () => askAtPace(load),
        );
        const after = await askUdp(port);
        return {
          held: result.full === result.sent && after !== undefined,
          figure: `${injected} injected, ${result.full} of ${result.sent} answered`,
        };
      }),
  },
];
