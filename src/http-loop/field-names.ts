/** Names of header fields, told by their octets. */
export interface FieldNames {
  /** The name that stands there, in whatever case; `undefined` if it is none of them. */
  at(octets: Uint8Array, start: number, length: number): string | undefined;
  /** An object with every name that is to be read, and no value. */
  none(): { [name: string]: string | undefined };
}

/** @param read and @param others in lower case, of letters and hyphens */
export function createFieldNames(read: readonly string[], others: readonly string[]): FieldNames {
  const byLength: FieldName[][] = [];
  for (const text of new Set([...read, ...others]))
    (byLength[text.length] ??= []).push({ text, octets: Buffer.from(text, "latin1") });
  const empty: { [name: string]: string | undefined } = Object.fromEntries(
    read.map((name) => [name, undefined]),
  );
  return {
    at(octets, start, length) {
      const names = byLength[length];
      if (names !== undefined)
        for (const name of names) if (isSame(name.octets, octets, start)) return name.text;
      return undefined;
    },
    none: () => ({ ...empty }),
  };
}

interface FieldName {
  readonly text: string;
  readonly octets: Uint8Array;
}

/**
 * The bit that makes letters small leaves a hyphen as it is; what else it changes into a hyphen or a letter is no
 * token's.
 */
function isSame(name: Uint8Array, octets: Uint8Array, start: number): boolean {
  for (let i = 0; i < name.length; i++) if (((octets[start + i] as number) | 0x20) !== name[i]) return false;
  return true;
}
