import { parsePrefix, widthOf } from "../../src/base/address.ts";
import type { Client } from "../../src/model/client.ts";
import type { Place } from "../../src/model/inventory.ts";
import type { Log } from "../../src/model/log.ts";
import type { Value } from "./mmdb-writer.ts";

/** A client by its whole address, or by a client subnet `ADDRESS/LENGTH`. */
export function client(text: string): Client {
  const prefix = parsePrefix(text);
  if (prefix === undefined) throw new Error(`not an address or prefix: ${text}`);
  const { family, bytes, length } = prefix;
  const from = length === widthOf(family) ? "source" : "client-subnet";
  return { address: { family, bytes }, prefixLength: length, from };
}

export function place(prefix: string, fields: Partial<Place> = {}): Place {
  const parsed = parsePrefix(prefix);
  if (parsed === undefined) throw new Error(`not a prefix: ${prefix}`);
  return { prefix: parsed, latitude: 1, longitude: 2, ...fields };
}

/** A record as MaxMind's city databases have them. */
export function cityRecord(city: string, country: string, latitude: number, longitude: number): Value {
  return {
    city: { names: { en: city } },
    country: { iso_code: country },
    location: { latitude: latitude + 0.0001, longitude: longitude + 0.0001, accuracy_radius: 20 },
  };
}

export const LONDON = cityRecord("London", "GB", 51.5142, -0.0931);
export const TOKYO = cityRecord("Tokyo", "JP", 35.685, 139.7514);
export const AMSTERDAM = cityRecord("Amsterdam", "NL", 52.3759, 4.8975);

export interface LogLine {
  readonly level: "info" | "warn" | "error";
  readonly fields: Record<string, unknown>;
  readonly message: string;
}

/** A log that remembers its lines. */
export function memoryLog(): Log & { readonly lines: readonly LogLine[] } {
  const lines: LogLine[] = [];
  const writer = (level: LogLine["level"]) => (fields: object, message: string) => {
    lines.push({ level, fields: { ...fields }, message });
  };
  return { lines, info: writer("info"), warn: writer("warn"), error: writer("error") };
}
