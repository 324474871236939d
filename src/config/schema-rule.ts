import { z } from "zod";
import { oneOf, textLeaf } from "./leaf.ts";
import { prefix } from "./leaf-network.ts";
import { asn } from "./leaf-quantity.ts";
import { derived, read, refuse } from "./reading.ts";

/** ISO 3166-1 alpha-2, and what is often written instead. */
const countryMistakes: Readonly<Record<string, string>> = { UK: "GB", EL: "GR" };

export const country = textLeaf(
  {
    noun: "a country",
    hint: "write its ISO 3166 code, as NL",
    json: { type: "string", pattern: "^[A-Z]{2}$" },
  },
  (value) => {
    const code = value.toUpperCase();
    const right = Object.hasOwn(countryMistakes, code) ? countryMistakes[code] : code;
    if (right === value && /^[A-Z]{2}$/.test(value)) return read(value);
    return /^[A-Z]{2}$/.test(code)
      ? refuse(`is not an ISO 3166 code${derived(`; write ${right}`)}`)
      : undefined;
  },
);

export const continent = oneOf("AF", "AN", "AS", "EU", "NA", "OC", "SA");

export const viewerRule = z.strictObject({
  countries: z.array(country).describe("ISO 3166-1 alpha-2.").prefault([]),
  continents: z.array(continent).prefault([]),
  networks: z.array(prefix()).prefault([]),
  asns: z.array(asn()).describe("Autonomous systems; needs geoip.asn.").prefault([]),
});
