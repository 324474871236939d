import { sample } from "../reading.ts";
import { type Fake, send, serveFake } from "./server.ts";

/** The token is the whole of the Basic credential; throughput stands still, octets move on with each reading. */
export function fakeOvenMediaEngine(token: string, octetsPerReading: number): Promise<Fake> {
  const current = JSON.parse(sample("ome-stats-current-1.json")) as { response: { totalBytesOut: number } };
  return serveFake((request, reply) => {
    if (request.headers.authorization !== `Basic ${Buffer.from(token).toString("base64")}`)
      return send(reply, 401, "application/json", sample("ome-401.json"));
    if (request.url === "/v1/stats/current") {
      current.response.totalBytesOut += octetsPerReading;
      return send(reply, 200, "application/json", current);
    }
    if (request.url === "/v1/vhosts/default/apps/app/streams")
      return send(reply, 200, "application/json", sample("ome-streams.json"));
    return send(reply, 404, "application/json", { statusCode: 404, message: "not found" });
  });
}
