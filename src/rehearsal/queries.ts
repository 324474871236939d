import { randomInt } from "node:crypto";

/**
 * Made-up queries for some of the hostnames as resolvers send them: mostly for addresses, with the viewers' /24 (RFC
 * 7871 6) of thousands, one of which asks more often, now and then without it; some for names that do not exist.
 * @param hostnames one at least; of wildcards, a name that they stand for is asked for
 */
export function* queries(hostnames: readonly string[], count: number): Generator<Uint8Array> {
  const names = hostnames.map((hostname) => hostname.replace("*", "any"));
  const subnets = Array.from({ length: SUBNETS }, () => [randomInt(1, 224), randomInt(256), randomInt(256)]);
  for (let i = 0; i < count; i++) {
    const name = names[randomInt(names.length)] as string;
    const subnet = i % 8 === 0 ? undefined : subnets[i % 8 === 1 ? 0 : randomInt(SUBNETS)];
    const type = TYPES[i % TYPES.length] as number;
    yield queryFor(i % 10 === 9 ? `absent${i % 3}.${name}` : name, type, i & 0xffff, subnet);
  }
}

const SUBNETS = 2000;
/** A, AAAA, HTTPS. */
const TYPES = [1, 1, 28, 1, 1, 1, 65];

/** With EDNS of 1,232 octets. */
function queryFor(name: string, type: number, id: number, subnet: readonly number[] | undefined): Uint8Array {
  const labels = name.split(".").flatMap((label) => [label.length, ...Buffer.from(label, "latin1")]);
  const header = [id >> 8, id & 0xff, 0, 0, 0, 1, 0, 0, 0, 0, 0, 1];
  const option = subnet === undefined ? [] : [0, 8, 0, 7, 0, 1, 24, 0, ...subnet];
  const opt = [0, 0, 41, 0x04, 0xd0, 0, 0, 0, 0, 0, option.length, ...option];
  return Uint8Array.from([...header, ...labels, 0, 0, type, 0, 1, ...opt]);
}
