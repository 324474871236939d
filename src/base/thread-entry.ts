/**
 * Where a thread's code lies. It needs compiled JavaScript: where the sources are run by a tool, it is that of the
 * last build.
 * @param from `import.meta.url` of the file beside it
 * @param name of the file, without its ending
 */
export function threadEntry(from: string, name: string): URL {
  const entry = new URL(`./${name}.js`, from);
  return from.endsWith(".ts") ? new URL(entry.href.replace(/\/src\/(?!.*\/src\/)/, "/dist/")) : entry;
}
