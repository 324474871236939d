import { Buffer } from "node:buffer";
import { constants, type FileHandle, open } from "node:fs/promises";

/** A whole file in shared memory, or why not by a stable code. */
export type ReadResult =
  | { readonly kind: "read"; readonly bytes: Uint8Array }
  | { readonly kind: "refused"; readonly reason: ReadFlaw; readonly detail: string };

/** changed: written to while it was read. */
export type ReadFlaw = "absent" | "unreadable" | "empty-file" | "too-large" | "changed";

/** The largest databases sold are about a third of this. */
const MAX_OCTETS = 2 ** 30;
const CHUNK_OCTETS = 4 * 2 ** 20;

/**
 * Reads a file in pieces, none of which holds up the event loop. What is renamed into its place
 * meanwhile does no harm; what is written into it is noticed.
 */
export async function readShared(path: string): Promise<ReadResult> {
  let file: FileHandle | undefined;
  try {
    // Without O_NONBLOCK a named pipe would be waited for.
    file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    return await readHandle(file);
  } catch (error) {
    const { code = "unknown error" } = error as NodeJS.ErrnoException;
    return code === "ENOENT"
      ? refused("absent", "there is no such file; it is taken as soon as it appears")
      : refused("unreadable", `cannot be read: ${code}`);
  } finally {
    await file?.close();
  }
}

async function readHandle(file: FileHandle): Promise<ReadResult> {
  const before = await file.stat();
  if (!before.isFile()) return refused("unreadable", "not a regular file");
  if (before.size === 0) return refused("empty-file", "the file is empty");
  if (before.size > MAX_OCTETS) return refused("too-large", `larger than ${MAX_OCTETS} octets`);
  const shared = Buffer.from(new SharedArrayBuffer(before.size));
  let filled = 0;
  while (filled < shared.length) {
    const length = Math.min(CHUNK_OCTETS, shared.length - filled);
    const { bytesRead } = await file.read(shared, filled, length, filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  const after = await file.stat();
  if (filled < shared.length || after.size !== before.size || after.mtimeMs !== before.mtimeMs)
    return refused("changed", "it was written to while it was read; replace it by renaming a finished file");
  return { kind: "read", bytes: new Uint8Array(shared.buffer) };
}

function refused(reason: ReadFlaw, detail: string): ReadResult {
  return { kind: "refused", reason, detail };
}
