/** A number given as `--name=…`. @param {string} name @param {number} standard */
export function option(name, standard) {
  const given = process.argv.find((arg) => arg.startsWith(`--${name}=`));
  return given === undefined ? standard : Number(given.slice(name.length + 3));
}
