export interface CsvRow {
  /** In the text, from 1, where the row begins. */
  readonly line: number;
  readonly fields: readonly string[];
}

/**
 * Rows of fields; a quoted field may hold separators, line ends and doubled quotes (RFC 4180 2).
 * @param separator one character
 */
export function csvRows(text: string, separator: "," | ";" | "\t" = ","): CsvRow[] {
  const rows: CsvRow[] = [];
  const pattern = PATTERNS[separator];
  let fields: string[] = [];
  let [line, start] = [1, 1];
  pattern.lastIndex = 0;
  for (let match = pattern.exec(text); match !== null; match = pattern.exec(text)) {
    const [whole, quoted, plain = "", end = ""] = match;
    fields.push(quoted === undefined ? plain : quoted.replaceAll('""', '"'));
    line += whole.split("\n").length - 1;
    if (end !== separator) {
      rows.push({ line: start, fields });
      fields = [];
      start = line;
    }
    if (pattern.lastIndex >= text.length) break;
  }
  if (fields.length > 0) rows.push({ line: start, fields });
  return rows;
}

/** Only the fields. */
export function parseCsv(text: string): (readonly string[])[] {
  return csvRows(text).map(({ fields }) => fields);
}

const PATTERNS = {
  ",": /(?:"((?:[^"]|"")*)"|([^,\r\n]*))(,|\r?\n|$)/gy,
  ";": /(?:"((?:[^"]|"")*)"|([^;\r\n]*))(;|\r?\n|$)/gy,
  "\t": /(?:"((?:[^"]|"")*)"|([^\t\r\n]*))(\t|\r?\n|$)/gy,
};
