import { type Proxied, readProxyHeader } from "../base/proxy-header.ts";

/** What has come of a PROXY header that is waited for. */
export type Preface = Uint8Array;

export type PrefaceOutcome =
  /** @param from where the client's octets begin in the room, of which `to` are filled */
  | { readonly kind: "read"; readonly from: number; readonly to: number; readonly proxied?: Proxied }
  | { readonly kind: "incomplete"; readonly preface: Preface }
  | { readonly kind: "malformed"; readonly reason: string };

/** Reads on in a PROXY header. @param to octets that have come into the room, which has room for a header more */
export function readPreface(preface: Preface, room: Uint8Array, to: number): PrefaceOutcome {
  room.copyWithin(preface.length, 0, to);
  room.set(preface);
  const filled = preface.length + to;
  const header = readProxyHeader(room.subarray(0, filled));
  switch (header.kind) {
    case "complete": {
      const { length, proxied } = header;
      return { kind: "read", from: length, to: filled, ...(proxied && { proxied }) };
    }
    case "incomplete":
      return { kind: "incomplete", preface: Uint8Array.from(room.subarray(0, filled)) };
    case "malformed":
      return header;
  }
}
