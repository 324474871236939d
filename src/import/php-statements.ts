export interface Statement {
  readonly text: string;
  /** From 1, where it begins. */
  readonly line: number;
}

/** The statements of a PHP script, without comments and braces. It is read, never run. */
export function statementsIn(php: string): Statement[] {
  const statements: Statement[] = [];
  let [text, line, start] = ["", 1, 1];
  for (const [token] of php.matchAll(TOKEN)) {
    if (END.test(token)) {
      if (text !== "") statements.push({ text: text.trim(), line: start });
      text = "";
    } else if (!COMMENT.test(token)) {
      if (text === "") start = line;
      text += text === "" ? token.trimStart() : token;
    }
    line += token.split("\n").length - 1;
  }
  return statements;
}

const TOKEN =
  /\/\*[^]*?(?:\*\/|$)|(?:\/\/|#)[^\n]*|'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|<\?(?:php|=)?|\?>|[;{}]|\s+|[^;{}'"#/<?\s]+|[^]/g;
const END = /^(?:[;{}]|<\?(?:php|=)?|\?>)$/;
const COMMENT = /^(?:\/\/|#|\/\*)/;

/** The text of the first argument, where it is a literal; otherwise its source. */
export function firstArgument(list: string): string {
  const [, single, double] = /^\s*(?:'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)")\s*(?:,|$)/s.exec(list) ?? [];
  return single ?? double ?? list.split(",")[0]?.trim() ?? "";
}
