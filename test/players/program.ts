/** Programs that cannot be told where a name leads but by /etc/hosts: they get one of their own. */
import { execFile, spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** Outside CI the tests are left out where nobody may do that, or the program is not there. */
export function canRun(program: string): boolean {
  const isThere = spawnSync("sh", ["-c", `command -v ${program}`]).status === 0;
  return isThere && spawnSync("unshare", ["-m", "true"]).status === 0;
}

/** As a user without rights: VLC refuses to be root. */
const WORDS =
  'mount --bind "$0" /etc/hosts && HOME=/tmp exec setpriv --reuid 65534 --regid 65534 --clear-groups "$@"';

/**
 * Runs a program to its end in a mount namespace in which names lead to addresses.
 * @param folder where its hosts file is written
 */
export async function runNamed(
  folder: string,
  names: Readonly<Record<string, string>>,
  command: readonly string[],
): Promise<string> {
  const hosts = join(folder, "hosts");
  writeFileSync(
    hosts,
    Object.entries(names)
      .map(([name, address]) => `${address} ${name}\n`)
      .join(""),
  );
  const { stdout } = await run("unshare", ["-m", "sh", "-c", WORDS, hosts, ...command], { timeout: 50_000 });
  return stdout;
}
