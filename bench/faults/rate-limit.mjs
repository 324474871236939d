import { askAtPace, cookieFor } from "./clients.mjs";
import { withEdgeward } from "./server.mjs";

const LIMIT = { dns: { rateLimit: { responsesPerSecond: 50, slip: 2 } } };

/** @type {readonly import("./fault.ts").Fault[]} */
export const faults = [
  {
    name: "rate-limit",
    what: "400 queries per second from one address for 5 s, limit 50, slip 2",
    run: (folder) =>
      withEdgeward(folder, LIMIT, async ({ ports: { dns: port } }) => {
        const cookie = await cookieFor(port, "127.0.3.1");
        const [flood, other, holder] = await Promise.all([
          askAtPace({ port, from: "127.0.3.1", perSecond: 400, seconds: 5 }),
          askAtPace({ port, from: "127.0.4.1", perSecond: 40, seconds: 5 }),
          askAtPace({ port, from: "127.0.3.1", perSecond: 400, seconds: 5, cookie }),
        ]);
        const none = flood.sent - flood.full - flood.truncated;
        return {
          held: other.full === other.sent && holder.full === holder.sent && flood.full < 400,
          figure: `${flood.full} full, ${flood.truncated} TC, ${none} none; ${flood.octetsOut} octets in, ${flood.octetsIn} out; another network ${other.full} of ${other.sent}, with a cookie ${holder.full} of ${holder.sent}`,
        };
      }),
  },
  {
    name: "flood",
    what: "5,000 queries per second from one network for 5 s while another asks 40",
    run: (folder) =>
      withEdgeward(folder, LIMIT, async ({ ports: { dns: port } }) => {
        const [flood, other] = await Promise.all([
          askAtPace({ port, from: "127.0.3.1", perSecond: 5000, seconds: 5 }),
          askAtPace({ port, from: "127.0.4.1", perSecond: 40, seconds: 5 }),
        ]);
        return {
          held: other.full === other.sent,
          figure: `flood ${flood.full} full, ${flood.truncated} TC of ${flood.sent}; the other ${other.full} of ${other.sent}`,
        };
      }),
  },
];
