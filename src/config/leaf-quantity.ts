import { leaf, textLeaf } from "./leaf.ts";
import { type Reading, read, refuse } from "./reading.ts";
import { parseBitRate, parseDuration } from "./units.ts";

interface DurationRange {
  /** As a duration: `100ms`. */
  readonly min: string;
  readonly max: string;
}

/** Milliseconds. */
export function duration({ min, max }: DurationRange) {
  return durationLeaf((milliseconds) => {
    const inRange = milliseconds >= bound(min) && milliseconds <= bound(max);
    return inRange ? read(milliseconds) : refuse(`is out of range; from ${min} to ${max} is allowed`);
  });
}

/** Whole seconds, 0..2^31-1 (RFC 2181 8). */
export function ttl() {
  return durationLeaf((milliseconds) => {
    const seconds = milliseconds / 1000;
    if (!Number.isInteger(seconds)) return refuse("is not a whole number of seconds; write 1s or more");
    return seconds < 2 ** 31 ? read(seconds) : refuse("is too long; at most 2147483647s is allowed");
  });
}

/** Bits per second, above 0. */
export function bitRate() {
  const json = { type: "string", pattern: "^[0-9]+(\\.[0-9]+)?(bps|kbps|Mbps|Gbps|Tbps)$" };
  return textLeaf({ noun: "a bit rate", hint: "write it as 800Mbps or 1Gbps", json }, (text) => {
    const rate = parseBitRate(text);
    return rate === undefined || rate <= 0 ? undefined : read(rate);
  });
}

/** A share as 0..1, written as 0.5 or 50%. */
export function share() {
  const json = {
    anyOf: [
      { type: "number", minimum: 0, maximum: 1 },
      { type: "string", pattern: "^[0-9]+(\\.[0-9]+)? ?%$" },
    ],
  };
  return leaf({ noun: "a share", hint: "write it as 50% or 0.5", json }, (value) => {
    const [, digits, percent] = /^(\d{1,3}(?:\.\d{1,15})?)( ?%)?$/.exec(String(value)) ?? [];
    const number = Number(digits ?? Number.NaN) / (percent === undefined ? 1 : 100);
    return number >= 0 && number <= 1 ? read(number) : undefined;
  });
}

/** Autonomous system numbers, also with `AS` in front. */
export function asn() {
  const json = {
    anyOf: [
      { type: "integer", minimum: 1 },
      { type: "string", pattern: "^AS[0-9]+$" },
    ],
  };
  return leaf({ noun: "an AS number", hint: "write it as 64500 or AS64500", json }, (value) => {
    const digits = /^(?:AS)?(\d{1,10})$/i.exec(String(value))?.[1];
    const number = Number(digits ?? Number.NaN);
    return number >= 1 && number <= 0xffff_ffff ? read(number) : undefined;
  });
}

function durationLeaf(reader: (milliseconds: number) => Reading<number>) {
  const json = { type: "string", pattern: "^[0-9]+(\\.[0-9]+)?(ms|s|m|h)$" };
  return textLeaf({ noun: "a duration", hint: "write 500ms, 5s, 10m or 1h", json }, (text) => {
    const milliseconds = parseDuration(text);
    return milliseconds === undefined ? undefined : reader(milliseconds);
  });
}

function bound(text: string): number {
  return parseDuration(text) ?? Number.NaN;
}
