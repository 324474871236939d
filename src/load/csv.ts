/** Rows of fields; a quoted field may hold commas, line ends and doubled quotes (RFC 4180 2). */
export function parseCsv(text: string): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  FIELD.lastIndex = 0;
  for (let match = FIELD.exec(text); match !== null; match = FIELD.exec(text)) {
    const [, quoted, plain = "", end = ""] = match;
    row.push(quoted === undefined ? plain : quoted.replaceAll('""', '"'));
    if (end !== ",") {
      rows.push(row);
      row = [];
    }
    if (FIELD.lastIndex >= text.length) break;
  }
  if (row.length > 0) rows.push(row);
  return rows;
}

const FIELD = /(?:"((?:[^"]|"")*)"|([^,\r\n]*))(,|\r?\n|$)/gy;
