import { sample } from "../reading.ts";
import { type Fake, send, serveFake } from "./server.ts";

const WEB_INTERFACE = sample("mist-wrong-passphrase.html");

/** Any path but the passphrase gives the web interface, with 200. Octets move on with each reading. */
export function fakeMistServer(passphrase: string, octetsPerReading: number): Promise<Fake> {
  const load = JSON.parse(sample("mist-load-1.json")) as { bw: number[] };
  return serveFake((request, reply) => {
    if (!request.url?.startsWith(`/${passphrase}.json`)) return send(reply, 200, "text/html", WEB_INTERFACE);
    load.bw[0] = (load.bw[0] ?? 0) + octetsPerReading;
    return send(reply, 200, "text/json", load, { connection: "close" });
  });
}
