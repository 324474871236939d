import { decode } from "dns-packet";
import { expect, it } from "vitest";
import { queries } from "../../src/rehearsal/queries.ts";

const NAMES = ["live.example.net", "*.vod.example.net"];

it("are what resolvers send: mostly addresses, with subnets and without, for names that exist and some that do not", () => {
  const asked = [...queries(NAMES, 500)].map((octets) => decode(Buffer.from(octets)));
  const names = asked.map(({ questions }) => questions?.[0]?.name ?? "");
  expect(new Set(names.filter((name) => !name.startsWith("absent")))).toEqual(
    new Set(["live.example.net", "any.vod.example.net"]),
  );
  const subnets = asked.flatMap(({ additionals }) =>
    (additionals ?? []).flatMap((record) => (record.type === "OPT" ? record.options : [])),
  );
  expect(asked.every(({ type, questions }) => type === "query" && questions?.length === 1)).toBe(true);
  expect(names.filter((name) => name.startsWith("absent")).length).toBe(50);
  expect(asked.filter(({ questions }) => questions?.[0]?.type === "A").length).toBeGreaterThan(300);
  expect(subnets.length).toBeGreaterThan(400);
  expect(subnets.length).toBeLessThan(500);
  expect(subnets[0]).toMatchObject({ code: 8, family: 1, sourcePrefixLength: 24 });
});
