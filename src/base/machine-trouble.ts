/**
 * Whether something failed for want of descriptors or memory on this machine: it says nothing of the file or the
 * server that it was about, and goes by when there are some again.
 */
export function isMachineTrouble(error: unknown): boolean {
  const { code } = (error ?? {}) as { code?: unknown };
  return typeof code === "string" && CODES.has(code);
}

const CODES: ReadonlySet<string> = new Set(["EMFILE", "ENFILE", "ENOMEM", "ENOBUFS", "EAGAIN"]);
