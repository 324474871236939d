import { describe, expect, it } from "vitest";
import { demoHelp } from "../../src/demo/help.ts";
import type { Edge } from "../../src/model/edge.ts";
import type { Inventory } from "../../src/model/inventory.ts";
import { plainEdge, plainInventory, plainService } from "../inventory.ts";

describe("the lines printed under --demo", () => {
  it("carry the ports, hostname and edge of the configuration", () => {
    const text = demoHelp(INVENTORY, [{ edgeId: "ams1", host: "127.0.0.11", port: 8081 }], []);
    for (const line of [
      "http://127.0.0.11:8081/live/stream.m3u8",
      "dig @127.0.0.1 -p 5353 live.cdn.example.net +subnet=81.2.69.0/24 +short",
      "curl -i -H 'Host: live.cdn.example.net' -H 'X-Forwarded-For: 133.11.0.1' http://[::1]:8888/live/stream.m3u8",
      "ffplay -headers 'Host: live.cdn.example.net' http://[::1]:8888/live/stream.m3u8",
      "npx edgeward explain live.cdn.example.net 81.2.69.142",
      "npx edgeward drain ams1 --reason 'trying it out'",
      "npx edgeward undrain ams1",
      `curl -X PUT -H 'Content-Type: application/json' -d '{"viewers":665}' http://127.0.0.1:9000/v1/edges/ams1/load`,
      "http://127.0.0.1:9000/",
    ]) {
      expect(text.split("\n").filter((printed) => printed.endsWith(`  ${line}`))).toHaveLength(1);
    }
  });

  it("stand in one column under each title", () => {
    const text = demoHelp(INVENTORY, [{ edgeId: "ams1", host: "127.0.0.11", port: 8081 }], []);
    for (const section of text.trimEnd().split("\n\n")) {
      const [, ...lines] = section.split("\n");
      const columns = lines.map((line) => / {2}(?=\S+$|dig|curl|ffplay|npx)/.exec(line.slice(2))?.index);
      expect(columns).not.toContain(undefined);
      const starts = lines.map((line) => line.slice(2).search(/(dig|curl|ffplay|npx|http)\b/));
      expect(new Set(starts).size).toBe(1);
    }
  });

  it("name a skipped edge, why, and what would help", () => {
    const skipped = {
      edgeId: "sin1",
      reason: "this machine has no address 127.0.0.12",
      remedy: "sudo ifconfig lo0 alias 127.0.0.12 up",
    };
    expect(demoHelp(INVENTORY, [], [skipped])).toContain(
      "sin1  not started: this machine has no address 127.0.0.12; try: sudo ifconfig lo0 alias 127.0.0.12 up",
    );
  });

  it("repeat the flags of another configuration, and the token where one is asked for", () => {
    const guarded: Inventory = {
      ...INVENTORY,
      ops: { tokens: [{ name: "ops", role: "operator", sha256: "0".repeat(64) }] },
    };
    const text = demoHelp(guarded, [], [], "-c other.yaml");
    expect(text).toContain("npx edgeward edges -c other.yaml");
    expect(text).toContain('curl -X PUT -H "Authorization: Bearer $EDGEWARD_TOKEN" ');
  });

  it("leave out what the configuration does not have", () => {
    const bare: Inventory = {
      ...INVENTORY,
      listen: { ...INVENTORY.listen, dns: [], http: [{ host: "0.0.0.0", port: 8080 }] },
      services: [{ ...SERVICE, hostnames: ["*.live.example.net"] }],
      edges: [],
    };
    const text = demoHelp(bare, [], []);
    expect(text).not.toMatch(/dig|drain|Demo edges/);
    expect(text).toContain("Host: demo.live.example.net");
    expect(text).toContain("http://127.0.0.1:8080/");
  });
});

const EDGE: Edge = plainEdge("ams1", {
  location: { latitude: 52.37, longitude: 4.9 },
  url: "http://127.0.0.11:8081",
  capacity: { viewers: 700 },
  load: [{ type: "push", staleAfterMs: 30_000 }],
});

const SERVICE = plainService({ hostnames: ["live.cdn.example.net"] });

const INVENTORY: Inventory = plainInventory({
  file: "/etc/edgeward/edgeward.yaml",
  listen: {
    dns: [{ host: "0.0.0.0", port: 5353 }],
    http: [{ host: "::1", port: 8888 }],
    ops: { host: "127.0.0.1", port: 9000 },
  },
  edges: [EDGE],
  services: [SERVICE],
});
