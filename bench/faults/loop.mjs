import koffi from "koffi";
import { query } from "./clients.mjs";
import { metric, pause, withEdgeward } from "./server.mjs";
import { mkdirSync } from "node:fs";
import { join } from "node:path";

const libc = koffi.load("libc.so.6");
const socket = libc.func("int socket(int, int, int)");
const sendto = libc.func("long sendto(int, void *, unsigned long, int, void *, uint32_t)");
const [AF_INET, SOCK_RAW, IPPROTO_RAW] = [2, 3, 255];

/** @type {readonly import("./fault.ts").Fault[]} */
export const faults = [
  {
    name: "loop",
    what: "a query to one instance that claims to come from the port of another",
    run(folder) {
      const [one, other] = ["one", "other"].map((name) => join(folder, name));
      for (const each of [one, other]) mkdirSync(each ?? "");
      return withEdgeward(one ?? "", {}, (first) =>
        withEdgeward(other ?? "", {}, async (second) => {
          if (!forge(first.ports.dns, second.ports.dns))
            return { held: false, figure: "not run: raw sockets need CAP_NET_RAW" };
          await pause(1000);
          const asked = await metric(first, "edgeward_dns_requests_total");
          const back = await metric(second, 'edgeward_dns_dropped_total{reason="response"}');
          const more = await metric(second, "edgeward_dns_requests_total");
          return {
            held: asked === 1 && back === 1 && more === 0,
            figure: `${asked} query answered, ${back} response dropped, nothing further`,
          };
        }),
      );
    },
  },
];

/**
 * Sends an IPv4 packet of our own making over loopback.
 * @param {number} to
 * @param {number} from
 * @returns {boolean} whether that is permitted
 */
function forge(to, from) {
  const fd = socket(AF_INET, SOCK_RAW, IPPROTO_RAW);
  if (fd < 0) return false;
  const payload = query(1);
  const packet = Buffer.alloc(28 + payload.length);
  packet.set([0x45, 0, 0, packet.length, 0, 1, 0, 0, 64, 17, 0, 0, 127, 0, 0, 1, 127, 0, 0, 1]);
  packet.writeUInt16BE(from, 20);
  packet.writeUInt16BE(to, 22);
  packet.writeUInt16BE(8 + payload.length, 24);
  packet.set(payload, 28);
  const address = Uint8Array.from([AF_INET, 0, 0, 0, 127, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0]);
  return sendto(fd, packet, packet.length, 0, address, address.length) === packet.length;
}
