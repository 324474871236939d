import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { Findings } from "../../src/config/findings.ts";
import { interpret } from "../../src/config/interpret.ts";
import { drawsFrom } from "../random.ts";

const reference = readFileSync(new URL("../../config/edgeward.yaml", import.meta.url), "utf8");
const lines = reference.split("\n");
const count = 300;

const spices = [
  "{",
  "}",
  "[",
  "]",
  ":",
  ",",
  "'",
  '"',
  "&a ",
  "*a",
  "!x ",
  "|",
  "- ",
  "\t",
  "#",
  "${X",
  "\u0000",
  "é",
  "999999999",
  "-",
  "null",
  "~",
  "%",
  "@",
];

/** Each changes the reference in one way, somewhere. */
const mutations: readonly ((random: (below: number) => number) => string)[] = [
  (random) => without(random(lines.length)),
  (random) => [...lines.slice(0, random(lines.length)), ...lines.slice(random(lines.length))].join("\n"),
  (random) => swapped(random(lines.length), random(lines.length)),
  (random) => reference.slice(0, random(reference.length)),
  (random) => insert(random(reference.length), spices[random(spices.length)] ?? ""),
  (random) => cut(random(reference.length), 1 + random(12)),
  (random) => {
    const at = random(reference.length);
    return `${reference.slice(0, at)}${String.fromCharCode(32 + random(95))}${reference.slice(at + 1)}`;
  },
  (random) => lines.map((line, i) => (i === random(lines.length) ? `  ${line}` : line)).join("\n"),
  (random) => reference.replaceAll(/\d+/g, (digits) => (random(8) === 0 ? String(random(1e9)) : digits)),
  (random) => reference.replaceAll(/[a-z]{4,}/g, (word) => (random(30) === 0 ? word.slice(1) : word)),
];

describe("a damaged configuration", () => {
  it.each(Array.from({ length: count }, (_, seed) => seed))("%d is taken, or its faults are told", (seed) => {
    const random = drawsFrom(seed);
    const text = mutations[seed % mutations.length]?.(random) ?? "";
    const findings = new Findings();
    const source = { file: "edgeward.yaml", text };
    const circumstances = {
      mainFile: "edgeward.yaml",
      environment: {},
      generation: 1,
      serial: 1,
      whyUnusable: () => undefined,
    };
    const inventory = interpret([source], circumstances, findings);
    const problems = findings.sorted("edgeward.yaml");
    expect(inventory === undefined).toBe(problems.length > 0);
    const total = text.split("\n").length;
    for (const { line, column, message } of problems) {
      expect(line).toBeGreaterThanOrEqual(1);
      expect(line).toBeLessThanOrEqual(total);
      expect(column).toBeGreaterThanOrEqual(1);
      expect(message.length).toBeGreaterThan(10);
      expect(message).not.toMatch(/undefined|\[object|Invalid input/);
    }
  });
});

function without(index: number): string {
  return lines.filter((_, i) => i !== index).join("\n");
}

function swapped(a: number, b: number): string {
  return lines.map((line, i) => (i === a ? lines[b] : i === b ? lines[a] : line)).join("\n");
}

function insert(at: number, text: string): string {
  return reference.slice(0, at) + text + reference.slice(at);
}

function cut(at: number, length: number): string {
  return reference.slice(0, at) + reference.slice(at + length);
}
