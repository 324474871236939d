/** What one process knows, and the one that takes its place goes on with. */
import type { ExclusiveDoors } from "./exclusive-doors.ts";
import type { Parts } from "./parts.ts";
import type { Memory, Predecessor } from "./succession.ts";

type Rememberers = Pick<Parts, "conditions" | "challenges" | "worlds">;

export function memoryOf(
  { conditions: { board }, challenges, worlds }: Rememberers,
  cookieSecret: string,
): Memory {
  return {
    board: board.memory(),
    challenges: challenges.memory(),
    cookieSecret,
    unseen: worlds.unseen(),
    learned: worlds.learned(),
  };
}

/** What is wanted before any door is open; `takeOver` sees to the rest. */
export function remember({ conditions: { board }, challenges }: Rememberers, memory: Memory): void {
  board.remember(memory.board);
  challenges.remember(memory.challenges);
}

/** Tells the predecessor that viewers are answered here, goes on with what it knew last, and opens its other doors. */
export async function takeOver(
  predecessor: Predecessor,
  parts: Rememberers,
  doors: Pick<ExclusiveDoors, "openAtLast">,
  stopped: AbortSignal,
): Promise<void> {
  const memory = await predecessor.relieve();
  if (memory !== undefined) {
    remember(parts, memory);
    // It may have had another state file, or one that could not be written.
    void parts.conditions.saved.save();
    parts.worlds.expect(memory.unseen);
    parts.worlds.remember(memory.learned);
  }
  await doors.openAtLast(stopped);
}
