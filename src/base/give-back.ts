import { createRequire } from "node:module";

/**
 * Has the C library give memory back to the system that was freed between pieces still in use; glibc keeps it
 * otherwise, tens of megabytes after a thread that has built large tables. A few milliseconds; where there is no such
 * call, nothing.
 */
export function giveBackMemory(): void {
  callGlibc("int malloc_trim(size_t)", 0);
}

/**
 * Has the C library take each piece of a mebibyte or more from the system by itself, and give it back when it is
 * freed. glibc does so too, but only until the first such piece is freed: from then on it puts as large ones among
 * the others, where they are kept. Where there is no such call, nothing.
 */
export function keepLargePiecesApart(): void {
  callGlibc("int mallopt(int, int)", M_MMAP_THRESHOLD, 1 << 20);
}

/** <malloc.h> */
const M_MMAP_THRESHOLD = -3;

function callGlibc(definition: string, ...values: readonly number[]): void {
  if (process.platform !== "linux") return;
  try {
    const koffi = createRequire(import.meta.url)("koffi") as typeof import("koffi");
    koffi.load(null).func(definition)(...values);
  } catch {
    // Another C library, or no koffi.
  }
}
