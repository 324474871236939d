import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { fileSchema, jsonSchema } from "../../src/config/schema.ts";

interface JsonSchema {
  readonly description?: string;
  readonly properties?: { readonly [key: string]: JsonSchema };
  readonly additionalProperties?: JsonSchema | false;
  readonly anyOf?: readonly JsonSchema[];
  readonly oneOf?: readonly JsonSchema[];
  readonly items?: JsonSchema;
  readonly required?: readonly string[];
  readonly not?: unknown;
}

const schema = jsonSchema() as JsonSchema;

describe("the JSON Schema for editors", () => {
  it("is the committed file; if not: npx edgeward schema > config/edgeward.schema.json", () => {
    const committed = readFileSync(new URL("../../config/edgeward.schema.json", import.meta.url), "utf8");
    expect(JSON.parse(committed)).toEqual(schema);
  });

  it("knows exactly the keys that the program knows", () => {
    expect(Object.keys(schema.properties ?? {})).toEqual(Object.keys(fileSchema.shape));
  });

  it("describes every section, and every key of an edge and a service", () => {
    const edge = schema.properties?.["edges"]?.additionalProperties;
    const service = schema.properties?.["services"]?.additionalProperties;
    for (const part of [schema, edge, service]) {
      const keys = Object.entries((part || undefined)?.properties ?? {});
      expect(keys.filter(([, { description }]) => description === undefined)).toEqual([]);
      expect(keys.length).toBeGreaterThan(5);
    }
  });

  it("asks nothing of an edge that the defaults may give, and all that a service needs", () => {
    const edge = schema.properties?.["edges"]?.additionalProperties || undefined;
    const service = schema.properties?.["services"]?.additionalProperties || undefined;
    expect(edge?.required).toBeUndefined();
    expect(edge?.properties?.["location"]?.required).toBeUndefined();
    expect(service?.required).toEqual(["hostnames"]);
  });

  it("lets an editor accept a variable wherever a text of a certain form belongs", () => {
    const port = schema.properties?.["listen"]?.properties?.["ops"];
    expect(port?.anyOf).toContainEqual({ type: "string", pattern: "\\$\\{" });
  });
});
