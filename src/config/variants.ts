import { z } from "zod";
import { guess, listed, unsupported } from "./leaf.ts";
import { derived, VALUE } from "./reading.ts";

type Variant = z.ZodObject<{ type: z.ZodLiteral<string> }>;

/**
 * What a block with a `type` may look like in the file, where `defaults` may give what it leaves out:
 * every key of its type, none required, and no type at all.
 */
export function asWritten(noun: string, variants: readonly Variant[], planned: readonly string[]): z.ZodType {
  const untyped = z.looseObject({ type: z.undefined().optional() });
  const typed = variants.map((variant) => variant.partial().extend({ type: variant.shape.type }));
  return z.discriminatedUnion("type", [untyped, ...typed], typeError(noun, variants, planned));
}

/** The message for a block whose type is missing, planned for a later version, or unknown. */
export function typeError(noun: string, variants: readonly Variant[], planned: readonly string[]) {
  const supported = variants.map(({ shape }) => shape.type.value);
  return {
    error: (issue: { code?: string; input?: unknown }): string | undefined => {
      if (typeof issue.input === "string") return wordAlone(issue.input, supported);
      if (issue.code !== "invalid_union") return undefined;
      const type = (issue.input as { type?: unknown }).type;
      if (type === undefined) return `missing; write ${listed(supported)}`;
      if (typeof type === "string" && planned.includes(type)) return unsupported(VALUE, supported.join(", "));
      return `${VALUE} is not a type of ${noun}; write ${listed(supported)}${guess(type, supported)}`;
    },
  };
}

function wordAlone(word: string, supported: readonly string[]): string {
  const right = supported.includes(word)
    ? `{ type: ${word} }`
    : `{ type: … } with ${listed(supported)}${guess(word, supported)}`;
  return `${VALUE} stands where a map of keys and values belongs${derived(`; write ${right}`)}`;
}

/** One of it, or a list that is not empty. */
export function oneOrMany<S extends z.ZodType>(schema: S) {
  return z.union([schema, z.array(schema).min(1, { error: "an empty list; leave the key out" })]);
}
