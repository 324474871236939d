import { type Reading, read, refuse } from "./reading.ts";

export type Environment = { readonly [name: string]: string | undefined };

const reference = /\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-((?:(?!\$\{)[^}])*))?\}/g;

/**
 * Puts in the value of every `${NAME}` and `${NAME:-default}`; the default is taken when the variable is
 * unset or empty, as in a POSIX shell. What is put in is not looked at again.
 */
export function substitute(text: string, environment: Environment): Reading<string> {
  if (text.replaceAll(reference, "").includes("${")) {
    return refuse("has a ${ that is not a variable; write ${NAME} or ${NAME:-default}");
  }
  const missing = new Set<string>();
  const value = text.replaceAll(reference, (_, name: string, otherwise: string | undefined) => {
    const found = Object.hasOwn(environment, name) ? environment[name] : undefined;
    if (otherwise !== undefined) return found === undefined || found === "" ? otherwise : found;
    if (found === undefined) missing.add(name);
    return found ?? "";
  });
  if (missing.size === 0) return read(value);
  return refuse(
    `${[...missing].join(", ")} is not set in the environment; set it, or write \${NAME:-default}`,
  );
}
