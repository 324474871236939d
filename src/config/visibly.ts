/**
 * A text in quotes, with what nobody sees in it as escapes: byte order marks, spaces without width, no-break spaces.
 */
export function visibly(text: string): string {
  return JSON.stringify(text).replaceAll(UNSEEN, (character) => {
    const units = Array.from({ length: character.length }, (_, i) => character.charCodeAt(i));
    return units.map((unit) => `\\u${unit.toString(16).padStart(4, "0")}`).join("");
  });
}

/** Where the first such character stands in a text, line ends and tabs aside; -1 without any. */
export function firstUnseen(text: string): number {
  return text.search(UNSEEN_IN_LINE);
}

const UNSEEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]|(?! )\p{Zs}/gu;
const UNSEEN_IN_LINE = new RegExp(`(?![\\t\\n\\r])(?:${UNSEEN.source})`, "u");
