/**
 * How long a thread goes on before it is another's turn (`sched_runtime` of `struct sched_attr`, Linux 6.12;
 * sched(7)). Who wakes up is let in at once if his turn would be over before that of who has the processor; nobody has
 * a larger share for it. What an older Linux, or a sandbox, does not do is left, and so is a thread to which somebody
 * gave a policy of its own.
 */
import type { Libc } from "./libc.ts";

export type Scheduling = Pick<Libc, "sched_getattr" | "sched_setattr">;

/** Lets the calling thread run soon after something has come in for it, also where another has the processor. */
export function takeShortTurns(libc: Scheduling): void {
  setTurn(libc, 0, SHORTEST_TURN_NS);
}

/**
 * Lets who takes short turns in before the given thread, and before all that it starts later.
 * @param thread its number; 0 for the calling one
 */
export function takeLongTurns(libc: Scheduling, thread = 0): void {
  setTurn(libc, thread, LONGEST_TURN_NS);
}

function setTurn({ sched_getattr, sched_setattr }: Scheduling, thread: number, turnNs: bigint): void {
  const attributes = new Uint8Array(ATTR_OCTETS);
  const view = new DataView(attributes.buffer);
  if (sched_getattr(thread, attributes, ATTR_OCTETS, 0) !== 0) return;
  if (view.getUint32(POLICY_AT, true) !== SCHED_OTHER) return;
  view.setBigUint64(RUNTIME_AT, turnNs, true);
  sched_setattr(thread, attributes, 0);
}

/** `struct sched_attr`, the first version: size, policy, flags, nice, priority, runtime, deadline, period. */
const ATTR_OCTETS = 48;
const POLICY_AT = 4;
const RUNTIME_AT = 24;
const SCHED_OTHER = 0;
/** Linux gives no shorter ones, and no longer. */
const SHORTEST_TURN_NS = 100_000n;
const LONGEST_TURN_NS = 100_000_000n;
