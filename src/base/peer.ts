import type { Socket } from "node:net";
import type { Address } from "../model/address.ts";
import { parseAddress } from "./address.ts";

/**
 * The socket's other end, as `parseAddress` has it. One that was just reset has forgotten it; nobody will read that
 * answer.
 */
export function peerOf(socket: Pick<Socket, "remoteAddress"> | undefined): Address {
  const text = socket?.remoteAddress?.replace(/%.*$/, "") ?? "";
  return parseAddress(text) ?? { family: 4, bytes: new Uint8Array(4) };
}
