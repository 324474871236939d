import { connect, isIP, type Socket } from "node:net";
import { checkServerIdentity, connect as connectTls, type TLSSocket } from "node:tls";
import { formatAddress } from "../base/address.ts";
import type { Address } from "../model/address.ts";
import type { Attempt } from "./attempt.ts";
import { tlsErrorOf } from "./result.ts";

/** A TCP connection to one address; destroyed when the attempt ends. */
export function openTcp(attempt: Attempt, address: Address, port: number): Promise<Socket> {
  return attempt.step(
    "connect",
    () =>
      new Promise((resolve, reject) => {
        const socket = connect({ host: formatAddress(address), port, noDelay: true });
        attempt.atEnd(() => socket.destroy());
        socket.on("error", reject);
        socket.once("connect", () => resolve(socket));
      }),
  );
}

export interface TlsSettings {
  /** SNI, and the name or address that the certificate must carry. */
  readonly name: string;
  readonly verify: boolean;
  readonly protocol: "http/1.1";
  readonly certificateAuthorities?: string | undefined;
}

/** TLS over an open connection; destroyed when the attempt ends. */
export function openTls(attempt: Attempt, socket: Socket, settings: TlsSettings): Promise<TLSSocket> {
  return attempt.step(
    "tls",
    () =>
      new Promise((resolve, reject) => {
        const secure = connectTls({
          socket,
          // SNI carries names only (RFC 6066 3).
          servername: isIP(settings.name) === 0 ? settings.name : "",
          rejectUnauthorized: settings.verify,
          checkServerIdentity: (_, certificate) => checkServerIdentity(settings.name, certificate),
          ALPNProtocols: [settings.protocol],
          ...(settings.certificateAuthorities === undefined ? {} : { ca: settings.certificateAuthorities }),
        });
        attempt.atEnd(() => secure.destroy());
        secure.on("error", (error) => reject(tlsErrorOf(error)));
        secure.once("secureConnect", () => resolve(secure));
      }),
  );
}
