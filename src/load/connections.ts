import type { LookupAddress } from "node:dns";
import type { LookupFunction } from "node:net";
import { callbackify } from "node:util";
import { Client } from "undici";
import { formatAddress, parseAddress } from "../base/address.ts";
import { type Reach, type Refusal, refusalOfWritten, resolveReachable } from "../base/reach.ts";
import { PullError } from "./pull-error.ts";

/** The connection to one source's server: kept from one reading to the next, for as long as both like it. */
export interface Connections {
  /** Connects to allowed addresses only, whatever a name resolves to by then. @throws {PullError} */
  to(origin: string, reach: Reach): { readonly client: Client; readonly isReused: boolean };
  drop(): void;
}

/** A server that says nothing of its patience is taken to have some. */
const KEEP_ALIVE_MS = 60_000;

export function createConnections(): Connections {
  let open: { readonly client: Client; readonly origin: string; readonly reach: Reach } | undefined;
  const drop = (): void => {
    void open?.client.destroy();
    open = undefined;
  };
  return {
    to(origin, reach) {
      const isReused = open?.origin === origin && open.reach === reach;
      if (isReused && open !== undefined) return { client: open.client, isReused };
      drop();
      open = { client: createClient(origin, reach), origin, reach };
      return { client: open.client, isReused: false };
    },
    drop,
  };
}

function createClient(origin: string, reach: Reach): Client {
  const { hostname, port, protocol } = new URL(origin);
  const literal = parseAddress(hostname.replace(/^\[(.*)\]$/, "$1"));
  const refusal = literal === undefined ? undefined : refusalOfWritten(literal, reach);
  if (refusal !== undefined) throw refused(refusal);
  const portNumber = port === "" ? (protocol === "https:" ? 443 : 80) : Number(port);
  return new Client(origin, {
    connect: { lookup: lookupWithin(reach, portNumber) },
    keepAliveTimeout: KEEP_ALIVE_MS,
    headersTimeout: 0,
    bodyTimeout: 0,
  });
}

/** Resolves at each connection anew. */
function lookupWithin(reach: Reach, port: number): LookupFunction {
  const resolve = callbackify((hostname: string) => resolved(hostname, port, reach));
  return (hostname, options, callback) => {
    resolve(hostname, (error, found) => {
      const [first] = found ?? [];
      if (error !== null || first === undefined) callback(error, []);
      else if (options.all === true) callback(null, found);
      else callback(null, first.address, first.family);
    });
  };
}

async function resolved(hostname: string, port: number, reach: Reach): Promise<LookupAddress[]> {
  const resolved = await resolveReachable(hostname, port, reach);
  if (resolved.kind === "refused") throw refused(resolved.refusal);
  if (resolved.kind === "not-found") throw new PullError(`its name does not resolve (${resolved.code})`);
  return resolved.addresses.map((address) => ({ address: formatAddress(address), family: address.family }));
}

function refused(refusal: Refusal): PullError {
  return new PullError(`its address is refused (${refusal}); probing.allowedNetworks can allow it`);
}
