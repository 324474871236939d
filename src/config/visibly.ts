/**
 * A text in quotes, with what nobody sees in it as escapes: byte order marks, spaces without width, no-break spaces.
 */
export function visibly(text: string): string {
  return JSON.stringify(text).replaceAll(UNSEEN, (character) => {
    const units = Array.from({ length: character.length }, (_, i) => character.charCodeAt(i));
    return units.map((unit) => `\\u${unit.toString(16).padStart(4, "0")}`).join("");
  });
}

const UNSEEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]|(?! )\p{Zs}/gu;
