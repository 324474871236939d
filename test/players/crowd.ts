/** One viewer for each real player, in the same story at the same time. */
import { expect } from "vitest";
import { waitFor } from "../scenarios/wait.ts";
import type { Lab } from "./lab.ts";
import type { Look, PlayerKind, Viewer } from "./viewer.ts";

export interface Member extends Viewer {
  readonly name: string;
  /** The edge that its last segment came from. */
  readonly edge: () => string | undefined;
}

export interface Way {
  readonly name: string;
  readonly kind: PlayerKind;
  /** At the redirector. */
  readonly path: string;
  readonly settings?: object;
}

/** Has them all play; resolves when the picture moves for each. */
export async function gather(lab: Lab, ways: readonly Way[]): Promise<Member[]> {
  const crowd = await Promise.all(
    ways.map(async ({ name, kind, path, settings }): Promise<Member> => {
      const viewer = await lab.viewers.play(kind, lab.url(path), settings);
      return { ...viewer, name, edge: () => lab.edgeAt(viewer.segmentHost()) };
    }),
  );
  for (const member of crowd) await untilIt(member, ({ timeSeconds }) => timeSeconds > 1, "plays");
  return crowd;
}

export async function disperse(crowd: readonly Member[]): Promise<void> {
  await Promise.all(crowd.map(({ page }) => page.close()));
}

/** Milliseconds until what the viewer sees is so. */
export async function untilIt(
  member: Member,
  isSo: (look: Look) => boolean,
  what: string,
  timeoutMs = 40_000,
): Promise<number> {
  let last: Look | undefined;
  return await waitFor(
    async () => isSo((last = await member.look())),
    timeoutMs,
    () => `${member.name}: that it ${what}; ${JSON.stringify(last)}, ${tail(member.requests)}`,
  );
}

/** That the picture goes on for each: two seconds of it from now. */
export async function expectAllPlay(crowd: readonly Member[]): Promise<void> {
  await Promise.all(
    crowd.map(async (member) => {
      const { timeSeconds } = await member.look();
      await untilIt(member, (look) => look.timeSeconds > timeSeconds + 2, "goes on");
    }),
  );
}

/** That neither the picture stood nor the buffer ran dry since the last mark. */
export async function expectNoStall(member: Member): Promise<void> {
  const { longestStallMs, leastBufferSeconds, errors } = await member.look();
  expect(leastBufferSeconds, `${member.name}: buffer; ${errors.join("; ")}`).toBeGreaterThan(0);
  expect(longestStallMs, `${member.name}: standing picture`).toBeLessThan(NOTICED_MS);
}

/** A picture that stands for less is a busy machine's, not an empty buffer's. */
const NOTICED_MS = 1500;

/** For docs/players.md. */
export function tell(story: string, member: Member, what: string): void {
  process.stdout.write(`${story} | ${member.name} | ${what}\n`);
}

function tail(requests: Member["requests"]): string {
  return requests
    .slice(-6)
    .map(({ url, status }) => `${status ?? "failed"} ${url.href}`)
    .join(", ");
}
