import type { Libc } from "./libc.ts";

/**
 * Asks Linux to let the calling thread run soon after something has come in for it, also where another thread has the
 * processor: it takes turns as short as they get, and has no more of the processor for that (sched(7);
 * `sched_runtime` of `struct sched_attr`, Linux 6.12). What an older Linux, or a sandbox, does not do is left. A
 * thread to which somebody gave a policy of its own keeps that.
 */
export function goFirst({
  sched_getattr,
  sched_setattr,
}: Pick<Libc, "sched_getattr" | "sched_setattr">): void {
  const attributes = new Uint8Array(ATTR_OCTETS);
  const view = new DataView(attributes.buffer);
  if (sched_getattr(0, attributes, ATTR_OCTETS, 0) !== 0) return;
  if (view.getUint32(POLICY_AT, true) !== SCHED_OTHER) return;
  view.setBigUint64(RUNTIME_AT, SHORTEST_TURN_NS, true);
  sched_setattr(0, attributes, 0);
}

/** `struct sched_attr`, the first version: size, policy, flags, nice, priority, runtime, deadline, period. */
const ATTR_OCTETS = 48;
const POLICY_AT = 4;
const RUNTIME_AT = 24;
const SCHED_OTHER = 0;
const SHORTEST_TURN_NS = 100_000n;
