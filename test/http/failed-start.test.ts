/** A door that cannot start leaves none of the sockets open that it was given. */
import { closeSync, openSync } from "node:fs";
import { afterAll, describe, expect, it } from "vitest";
import type { Libc } from "../../src/base/libc.ts";
import { type Certificates, openCertificates } from "../../src/http/certificates.ts";
import { listenTogether } from "../../src/http-loop/sockets.ts";
import { certificateFolder } from "./certificate-files.ts";
import { exchange, openDoor } from "./fixture.ts";
import { LIBC } from "./loop-door.ts";

const folder = certificateFolder();
afterAll(folder.remove);

const ANYWHERE = { host: "127.0.0.1", port: 0 };

function listening(libc: Libc): { readonly fd: number; readonly port: number } {
  const { endpoint, sockets } = listenTogether(libc, {
    scheme: "HTTPS",
    endpoint: ANYWHERE,
    count: 1,
    ipv6Only: false,
    inherited: [],
  });
  return { fd: sockets[0]?.fd ?? -1, port: endpoint.port };
}

describe.skipIf(LIBC.kind === "unavailable")("sockets for TLS are closed", () => {
  const { libc } = LIBC as { readonly libc: Libc };

  it("where one of several is not listened on", async () => {
    const certificates = openCertificates(
      [folder.make("live", "live.example.net")],
      { info: () => {}, warn: () => {}, error: () => {} },
      Date.now,
    );
    const [first, last] = [listening(libc), listening(libc)];
    const file = openSync("/dev/null", "r");
    const https = {
      endpoints: [ANYWHERE, ANYWHERE, ANYWHERE],
      certificates,
      fds: [first.fd, file, last.fd],
    };
    await expect(openDoor({ https })).rejects.toThrow("cannot listen for HTTPS on 127.0.0.1:0");
    closeSync(file);
    for (const { port } of [first, last]) await expect(exchange(port)).rejects.toThrow("ECONNREFUSED");
  });

  it("where TLS cannot be had", async () => {
    const certificates = {
      first(): never {
        throw new Error("no certificate");
      },
    } as unknown as Certificates;
    const { fd, port } = listening(libc);
    const https = { endpoints: [ANYWHERE], certificates, fds: [fd] };
    await expect(openDoor({ https })).rejects.toThrow("no certificate");
    await expect(exchange(port)).rejects.toThrow("ECONNREFUSED");
  });
});
