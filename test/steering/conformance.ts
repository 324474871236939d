import { expect } from "vitest";
import type { Manifest } from "./fixture.ts";

/** What a manifest must be for every player that is known to take steering, whatever the state of the service. */
export function expectConformance(manifest: Manifest, address: string): void {
  const known = ["VERSION", "TTL", "RELOAD-URI", "PATHWAY-PRIORITY", "PATHWAY-CLONES"];
  expect(known).toEqual(expect.arrayContaining(Object.keys(manifest)));
  expect(manifest.VERSION).toBe(1);
  expect(Number.isInteger(manifest.TTL)).toBe(true);
  expect(manifest.TTL).toBeGreaterThanOrEqual(5);
  expect(manifest.TTL).toBeLessThanOrEqual(3600);

  const reload = new URL(manifest["RELOAD-URI"]);
  expect(`${reload.origin}${reload.pathname}`).toBe(address);
  expect(reload.hash).toBe("");
  for (const name of reload.searchParams.keys()) expect(name).not.toMatch(/^_(HLS|DASH)_|^CMCD$/);

  const priority = manifest["PATHWAY-PRIORITY"];
  expect(priority.length).toBeGreaterThan(0);
  expect(new Set(priority).size).toBe(priority.length);
  for (const id of priority) expect(id).toMatch(/^[\w.-]+$/);

  const clones = manifest["PATHWAY-CLONES"];
  if (clones === undefined) return;
  expect(clones.length).toBeGreaterThan(0);
  expect(new Set(clones.map(({ ID }) => ID)).size).toBe(clones.length);
  for (const clone of clones) {
    expect(Object.keys(clone)).toEqual(["BASE-ID", "ID", "URI-REPLACEMENT"]);
    expect(clone.ID).toMatch(/^[\w.-]+$/);
    expect(clone.ID).not.toBe(clone["BASE-ID"]);
    expect(clone["URI-REPLACEMENT"].HOST).toMatch(/^[\w.-]+$/);
  }
}
