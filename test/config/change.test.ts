import { describe, expect, it } from "vitest";
import { describeChange } from "../../src/config/change.ts";
import { inventoryOf } from "./support.ts";

const edge = "{ location: { latitude: 1, longitude: 2 }, addresses: [192.0.2.1] }";

function text({ edges = `a: ${edge}, b: ${edge}`, services = "", more = "" }): string {
  return `listen: { http: ["127.0.0.1:8080"] }
stateFile: /var/lib/state.json
edges: { ${edges} }
services: { s: { hostnames: [s.example.net], edges: { ids: [b] } }${services} }
zones: { example.net: { nameservers: [ns.example.org], contact: a@example.net } }
${more}`;
}

const nothing = { added: [], removed: [], changed: [] };

async function change(before: Parameters<typeof text>[0], after: Parameters<typeof text>[0]) {
  return describeChange(await inventoryOf(text(before)), await inventoryOf(text(after)));
}

describe("what a reload changed", () => {
  it("is nothing for the same text at another time", async () => {
    expect(await change({}, {})).toEqual({ edges: nothing, services: nothing, zones: nothing, other: [] });
  });

  it("names edges; a service whose edges only moved is the same", async () => {
    const after = { edges: `z: ${edge}, a: ${edge.replace("{ l", "{ weight: 2, l")}, b: ${edge}` };
    expect(await change({}, after)).toEqual({
      edges: { added: ["z"], removed: [], changed: ["a"] },
      services: nothing,
      zones: nothing,
      other: [],
    });
    expect((await change(after, {})).edges).toEqual({ added: [], removed: ["z"], changed: ["a"] });
  });

  it("names services, zones and other keys", async () => {
    const after = {
      services: ", t: { hostnames: [t.example.net] }",
      more: 'trustedProxies: [10.0.0.0/8]\nplaces: { "192.0.2.0/24": { latitude: 1, longitude: 1 } }\n',
    };
    const changed = await change({}, after);
    expect(changed.services).toEqual({ added: ["t"], removed: [], changed: [] });
    expect(changed.other).toEqual(["trustedProxies", "places"]);
  });

  it("notices a changed service, whose edges are others", async () => {
    const before = await inventoryOf(text({}));
    const after = await inventoryOf(text({}).replace("ids: [b]", "ids: [a]"));
    expect((await describeChange(before, after)).services.changed).toEqual(["s"]);
  });
});
