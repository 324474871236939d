import { createRequire } from "node:module";

/**
 * Has the C library give memory back to the system that was freed between pieces still in use; glibc keeps it otherwise,
 * tens of megabytes after a thread that has built large tables. A few milliseconds; where there is no such call, nothing.
 */
export function giveBackMemory(): void {
  if (process.platform !== "linux") return;
  try {
    const koffi = createRequire(import.meta.url)("koffi") as typeof import("koffi");
    const trim = koffi.load(null).func("int malloc_trim(size_t)") as (keptOctets: number) => number;
    trim(0);
  } catch {
    // Another C library, or no koffi.
  }
}
