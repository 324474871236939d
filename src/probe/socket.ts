import { connect, isIP, type Socket } from "node:net";
import { checkServerIdentity, connect as connectTls, type TLSSocket } from "node:tls";
import { formatAddress } from "../base/address.ts";
import type { Address } from "../model/address.ts";
import type { Attempt, ProbeContext } from "./attempt.ts";
import { noteExpiry } from "./player.ts";
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
  /** ALPN; none for RTMP. */
  readonly protocol?: "http/1.1";
}

/** TLS over an open connection; destroyed when the attempt ends. */
export async function openTls(
  attempt: Attempt,
  socket: Socket,
  settings: TlsSettings,
  { certificateAuthorities, asPlayer, clock }: ProbeContext,
): Promise<TLSSocket> {
  const secure = await attempt.step(
    "tls",
    () =>
      new Promise<TLSSocket>((resolve, reject) => {
        const secure = connectTls({
          socket,
          // SNI carries names only (RFC 6066 3).
          servername: isIP(settings.name) === 0 ? settings.name : "",
          rejectUnauthorized: settings.verify,
          checkServerIdentity: (_, certificate) => checkServerIdentity(settings.name, certificate),
          ...(settings.protocol === undefined ? {} : { ALPNProtocols: [settings.protocol] }),
          ...(certificateAuthorities === undefined ? {} : { ca: certificateAuthorities }),
        });
        attempt.atEnd(() => secure.destroy());
        secure.on("error", (error) => reject(tlsErrorOf(error)));
        secure.once("secureConnect", () => resolve(secure));
      }),
  );
  if (asPlayer === true) noteExpiry(attempt, secure.getPeerCertificate().valid_to ?? "", clock.wallMs());
  return secure;
}

/** Of a host as in a URL: without port, and without the brackets of an IPv6 address. */
export function nameIn(host: string): string {
  return host.replace(/:\d+$/, "").replace(/^\[(.*)\]$/, "$1");
}
