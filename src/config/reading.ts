/** What came of reading a piece of text: its value, or why it cannot be had and what would be right. */
export type Reading<T> =
  | { readonly kind: "read"; readonly value: T }
  | { readonly kind: "refused"; readonly message: string };

export function read<T>(value: T): Reading<T> {
  return { kind: "read", value };
}

export function refuse(message: string): Reading<never> {
  return { kind: "refused", message };
}

/**
 * Stands for the offending value in a message. Only `words.ts` puts a text in its place, so that nothing
 * which came from the environment is ever written out.
 */
export const VALUE = "\uE000";

/** A part of a message that is derived from the value: shown only when the value stands in the file itself. */
export function derived(text: string): string {
  return `\uE001${text}\uE002`;
}
