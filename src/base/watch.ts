import { createHash } from "node:crypto";
import { readFile, realpath, stat } from "node:fs/promises";
import { isMachineTrouble } from "./machine-trouble.ts";

/**
 * Calls `changed` after any of the files is edited, replaced by rename, or reached through a swapped
 * symlink. Polls, because inotify loses the second and third, and every network file system loses all. A look
 * for which this machine has no descriptors left says nothing. Returns the way to stop.
 */
export function watchFiles(list: () => Promise<string[]>, changed: () => void, everyMs = 500): () => void {
  let last: string | undefined;
  let busy = false;
  const look = async (): Promise<void> => {
    if (busy) return;
    busy = true;
    try {
      const now = await fingerprint(await list());
      if (last !== undefined && now !== last) changed();
      last = now;
    } catch (error) {
      if (!isMachineTrouble(error)) throw error;
    } finally {
      busy = false;
    }
  };
  const timer = setInterval(() => void look(), everyMs);
  timer.unref();
  void look();
  return () => clearInterval(timer);
}

async function fingerprint(files: string[]): Promise<string> {
  return (await Promise.all(files.map(oneFingerprint))).join("\n");
}

const CONTENT_OCTETS_MAX = 1 << 20;

/** Identity, size and time; for a small file also its content, since an edit can keep all three. */
async function oneFingerprint(file: string): Promise<string> {
  try {
    const target = await realpath(file);
    const found = await stat(target);
    const { ino, size, mtimeMs } = found;
    // Who reads a named pipe waits for somebody to write to it.
    const isRead = found.isFile() && size <= CONTENT_OCTETS_MAX;
    const content = isRead ? digestOf(await readFile(target)) : "";
    return `${file} ${target} ${ino} ${size} ${mtimeMs} ${content}`;
  } catch (error) {
    if (isMachineTrouble(error)) throw error;
    return `${file} ${(error as NodeJS.ErrnoException).code}`;
  }
}

function digestOf(octets: Buffer): string {
  return createHash("sha1").update(octets).digest("hex");
}
