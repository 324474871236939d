import { crc32c } from "../../src/base/proxy-header.ts";

/** Family and protocol. */
export const FAMILY = { tcp4: 0x11, udp4: 0x12, tcp6: 0x21, unix: 0x31 } as const;

/** A header of version 2. @param command with the version in front: 0x20 LOCAL, 0x21 PROXY */
export function version2(command: number, family: number, rest: readonly number[] = []): Buffer {
  const fixed = [command, family, rest.length >> 8, rest.length & 255];
  return Buffer.concat([Buffer.from("\r\n\r\n\0\r\nQUIT\n"), Buffer.from([...fixed, ...rest])]);
}

export function tlv(type: number, value: readonly number[]): number[] {
  return [type, value.length >> 8, value.length & 255, ...value];
}

/** PP2_TYPE_SSL with these flags of the client, not verified. */
export function ssl(client: number): number[] {
  return tlv(0x20, [client, 0, 0, 0, 1]);
}

/** With the checksum in its last four octets. */
export function checksum(header: Buffer): Buffer {
  const whole = Buffer.from(header);
  whole.writeUInt32BE(crc32c(header), header.length - 4);
  return whole;
}
