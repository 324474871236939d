import { execFile, spawnSync } from "node:child_process";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { RCODES } from "../dns/answers.ts";
import { ZONE } from "../dns/fixture.ts";
import { option, TYPES } from "../dns/packets.ts";
import { type Harness, startHarness, UDP4, WAYS } from "./harness.ts";

let telling: Harness;
let silent: Harness;
beforeAll(async () => {
  telling = await startHarness({ dns: { identity: "ams-1", version: "edgeward" } });
  silent = await startHarness();
});
afterAll(() => Promise.all([telling.stop(), silent.stop()]));

const CH = 3;
const NSID = 3;
const ASKED = { edns: { options: [option(NSID)] } };

describe.each(WAYS)("what a server tells of itself, %s", (_name, way) => {
  it.each([
    ["id.server", "ams-1"],
    ["hostname.bind", "ams-1"],
    ["Version.Bind", "edgeward"],
    ["version.server", "edgeward"],
  ])("RFC 4892 3: %s is %s in class CH, not to be kept", async (name, text) => {
    const reply = await telling.ask(way, { name, type: TYPES.TXT, class: CH });
    expect(reply).toMatchObject({ rcode: RCODES.NOERROR, aa: true });
    expect(reply.packet.answers).toMatchObject([
      { type: "TXT", class: "CH", ttl: 0, data: [Buffer.from(text)] },
    ]);
    expect((await silent.ask(way, { name, type: TYPES.TXT, class: CH })).rcode).toBe(RCODES.REFUSED);
  });

  it("RFC 4892 3: nothing else is there, and nothing in other classes", async () => {
    const other = await telling.ask(way, { name: "id.server", class: CH });
    expect(other).toMatchObject({ rcode: RCODES.NOERROR, counts: [1, 0, 0, 0] });
    for (const [name, klass] of [
      ["authors.bind", CH],
      ["server", CH],
      ["x.id.server", CH],
      [ZONE, CH],
      ["id.server", 4],
      ["id.server", 1],
    ] as const) {
      const reply = await telling.ask(way, { name, type: TYPES.TXT, class: klass });
      expect(reply.rcode, name).toBe(RCODES.REFUSED);
    }
  });

  it("RFC 5936 2.2: nothing of it is transferred, nor are records of the protocol looked for", async () => {
    for (const [type, rcode] of [
      [TYPES.AXFR, RCODES.REFUSED],
      [TYPES.IXFR, RCODES.REFUSED],
      [TYPES.OPT, RCODES.FORMERR],
    ] as const)
      expect(await telling.ask(way, { name: "version.bind", type, class: CH })).toMatchObject({
        rcode,
        aa: false,
        counts: [1, 0, 0, 0],
      });
  });

  it("RFC 5001 2.3: NSID when asked, with every kind of answer", async () => {
    for (const name of [`static.${ZONE}`, `live.${ZONE}`, `nowhere.${ZONE}`, "example.org"]) {
      const reply = await telling.ask(way, { name, ...ASKED });
      expect(reply.opt?.options.get(NSID)?.toString()).toBe("ams-1");
    }
  });

  it("RFC 5001 2.1 (E15): no NSID unasked, nor when it is not configured", async () => {
    const unasked = await telling.ask(way, { name: `static.${ZONE}`, edns: {} });
    expect(unasked.opt?.options.has(NSID)).toBe(false);
    const unknown = await silent.ask(way, { name: `static.${ZONE}`, ...ASKED });
    expect(unknown.opt?.options.has(NSID)).toBe(false);
  });

  it("a reload changes what is told", async () => {
    const harness = await startHarness({ dns: { identity: "before" } });
    try {
      if (way.isBatched === true) return;
      harness.door.take({ zones: [], services: [], dns: { identity: "after" } });
      const reply = await harness.ask(way, { name: "id.server", type: TYPES.TXT, class: CH, ...ASKED });
      expect(reply.packet.answers).toMatchObject([{ data: [Buffer.from("after")] }]);
      expect(reply.opt?.options.get(NSID)?.toString()).toBe("after");
    } finally {
      await harness.stop();
    }
  });
});

describe.each(WAYS)("extended errors, %s", (_name, way) => {
  const codeOf = async (name: string, type: number = TYPES.A): Promise<Buffer | undefined> =>
    (await silent.ask(way, { name, type, edns: {} })).opt?.options.get(15);

  it("RFC 8914 4.21: not authoritative for a name outside of every zone", async () => {
    expect(await codeOf("example.org")).toEqual(Buffer.of(0, 20));
    const plain = await silent.ask(way, { name: "example.org" });
    expect(plain.opt).toBeUndefined();
  });

  it("RFC 8914 4.22: not supported, where a type asks for what we do not do", async () => {
    for (const type of [TYPES.AXFR, TYPES.IXFR, TYPES.TKEY])
      expect(await codeOf(ZONE, type)).toEqual(Buffer.of(0, 21));
  });

  it("RFC 9824 9: invalid, where a type is none that can be asked for", async () => {
    for (const type of [TYPES.OPT, TYPES.TSIG, 128])
      expect(await codeOf(`static.${ZONE}`, type)).toEqual(Buffer.of(0, 30));
  });

  it("RFC 8914 4.18: filtered for whom the service refuses; none with what is an answer", async () => {
    expect(await codeOf(`closed.${ZONE}`)).toEqual(Buffer.of(0, 17));
    for (const name of [`live.${ZONE}`, `nowhere.${ZONE}`, `full.${ZONE}`])
      expect(await codeOf(name)).toBeUndefined();
  });
});

const isMissing = spawnSync("dig", ["-v"]).status !== 0;

it.skipIf(isMissing && process.env["CI"] === undefined)("dig reads them", async () => {
  const at = [`@${UDP4.host}`, "-p", String(telling.port(UDP4)), "+time=5"];
  const dig = async (...words: string[]): Promise<string> =>
    (await promisify(execFile)("dig", [...at, ...words])).stdout;
  expect(await dig("+short", "id.server", "TXT", "CH")).toBe('"ams-1"\n');
  expect(await dig("+nsid", `live.${ZONE}`)).toContain('("ams-1")');
  expect(await dig("example.org")).toMatch(/; EDE: 20 \(Not Authoritative\)/);
});
