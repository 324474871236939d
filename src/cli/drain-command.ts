import { setTimeout as sleep } from "node:timers/promises";
import { type Answer, EXIT } from "./answer.ts";
import type { OpsClient } from "./client.ts";
import { drainText } from "./edges-page.ts";
import { run, type ServiceContext, statePage } from "./service-commands.ts";
import { printable } from "./text.ts";
import { readUntil } from "./until.ts";
import type { EdgeView } from "../model/views.ts";
import type { StateSetView } from "./views.ts";

export interface DrainOptions {
  readonly reason?: string;
  readonly until?: string;
  /** When the edge is to be empty. */
  readonly by?: string;
  /** End when nobody is left. */
  readonly wait: boolean;
}

const ASK_EVERY_MS = 1000;
/** A report or a player that asks for steering would have come by then. */
const UNKNOWN_MS = 30_000;
/** While another process takes the service's place, or it starts again, its door is closed; the drain goes on. */
const RESTART_MS = 60_000;

function neverKnown(id: string): string {
  return `${id} drains, but nobody can tell when it is empty: it reports no load, and no player there asks for steering; no answer that names it is kept any more`;
}

export async function drain(
  context: ServiceContext,
  id: string,
  { wait, ...options }: DrainOptions,
  pauseMs = ASK_EVERY_MS,
): Promise<number> {
  const becomes = "drains: it takes no one new, and those whom steering reaches are moved";
  const code = await run(
    wait && context.format === "json" ? silent(context) : context,
    (client) => setDrain(client, id, options, context.io.nowMs()),
    statePage(id, becomes),
  );
  if (code !== EXIT.done || !wait) return code;
  return run(context, (client) => untilEmpty(client, id, context, pauseMs), {
    lines: (edge, look) => [printable(`${id} is ${drainText(edge, look).join("; ")}`)],
  });
}

/** As JSON, only what holds in the end is printed: two documents are none. */
function silent(context: ServiceContext): ServiceContext {
  return { ...context, io: { ...context.io, out: () => {} } };
}

async function setDrain(
  client: OpsClient,
  id: string,
  { reason, until, by }: Omit<DrainOptions, "wait">,
  nowMs: number,
): Promise<Answer<StateSetView>> {
  const end = until === undefined ? undefined : readUntil(until, nowMs);
  if (end?.kind === "wrong") return { kind: "wrong-usage", message: `--until: ${end.message}` };
  const empty = by === undefined ? undefined : readUntil(by, nowMs);
  if (empty?.kind === "wrong") return { kind: "wrong-usage", message: `--by: ${empty.message}` };
  if (end !== undefined && empty !== undefined && end.atMs <= empty.atMs)
    return {
      kind: "wrong-usage",
      message: "--until: the edge takes viewers again before --by; give a later time",
    };
  return client.setState(id, {
    state: "drain",
    ...(reason === undefined ? {} : { reason }),
    ...(end === undefined ? {} : { until: end.text }),
    ...(empty === undefined ? {} : { deadline: empty.text }),
  });
}

/**
 * Tells of every change on the way, and gives up where nobody will know when it is empty, or nobody answers for long.
 */
async function untilEmpty(
  client: OpsClient,
  id: string,
  { io, format }: ServiceContext,
  pauseMs: number,
): Promise<Answer<EdgeView>> {
  let told = "";
  let knownAtMs = io.nowMs();
  let reachedAtMs = io.nowMs();
  for (;;) {
    const answer = await client.edge(id);
    if (answer.kind === "unreachable" && io.nowMs() - reachedAtMs < RESTART_MS) {
      await sleep(pauseMs);
      continue;
    }
    reachedAtMs = io.nowMs();
    if (answer.kind !== "done" || answer.value.drain?.emptySinceMs !== undefined) return answer;
    const { state, drain } = answer.value;
    if (state !== "drain") return { kind: "no", message: `${id} does not drain any longer` };
    if (drain === undefined || drain.viewersLeft !== undefined || drain.keptUntilMs !== undefined)
      knownAtMs = io.nowMs();
    if (io.nowMs() - knownAtMs >= UNKNOWN_MS) return { kind: "no", message: neverKnown(id) };
    const text = drainText(answer.value, { colour: false, nowMs: io.nowMs() }).join("; ");
    if (text !== told && format === "table") io.out(`${printable(text)}\n`);
    told = text;
    await sleep(pauseMs);
  }
}
