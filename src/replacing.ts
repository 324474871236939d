/** Putting another process in this one's place: whether it can be, and who leaves when. */
import type { App } from "./app.ts";
import type { ServiceManager } from "./base/notify.ts";
import type { Log } from "./model/log.ts";
import type { Problem } from "./model/problem.ts";
import type { ReplaceVerdict } from "./ops/api.ts";
import { startSuccessor, type Successor } from "./succession.ts";

export interface ReplacingOptions {
  readonly log: Log;
  readonly manager: ServiceManager | undefined;
  /** Not asked before it runs. */
  readonly app: () => App;
  readonly isDemo: boolean;
  /** What is wrong with the configuration as it is now. */
  readonly check: () => Promise<readonly Problem[]>;
  /** This process is to stop: a successor that is not open by then is not waited for. */
  readonly stopped: AbortSignal;
}

export interface Replacing {
  /** One at a time: who asks meanwhile is given the same answer. */
  readonly replace: () => Promise<ReplaceVerdict>;
  /** Aborted when another process serves. */
  readonly replaced: AbortSignal;
  /** Stops in order; where another process serves, lets it have the doors. */
  leave(): Promise<void>;
}

export function createReplacing(options: ReplacingOptions): Replacing {
  const { log, manager, app, isDemo, stopped } = options;
  let successor: Successor | undefined;
  let running: Promise<ReplaceVerdict> | undefined;
  const replaced = new AbortController();

  const attempt = async (): Promise<ReplaceVerdict> => {
    if (successor !== undefined || stopped.aborted) return failed("this process is about to end");
    if (isDemo) return failed("the demo's edges would end with this process: serve without --demo");
    if (process.pid === 1) return failed(FIRST_PROCESS);
    const sockets = app().sockets();
    if (sockets === undefined) return failed(NO_SOCKETS);
    const problems = await options.check();
    if (problems.length > 0) return refused(problems);
    log.info({}, "starting the process that is to take this one's place");
    const verdict = await startSuccessor({ sockets, memory: () => app().memory(), signal: stopped });
    if (verdict.kind === "failed") return failed(verdict.reason);
    ({ successor } = verdict);
    const { pid } = successor;
    manager?.replacedBy(pid);
    log.info({ pid }, "another process serves from now on");
    replaced.abort();
    return { kind: "replaced", pid };
  };

  const failed = (reason: string): ReplaceVerdict => {
    if (stopped.aborted) log.info({ reason }, "this process is not replaced");
    else log.error({ reason }, "this process is not replaced and serves on");
    return { kind: "failed", reason };
  };

  const refused = (problems: readonly Problem[]): ReplaceVerdict => {
    for (const problem of problems)
      log.error({ ...problem }, "configuration refused; this process is not replaced and serves on");
    return { kind: "refused", problems };
  };

  return {
    replaced: replaced.signal,
    replace() {
      running ??= attempt()
        .catch((error: unknown) => failed(`the new process could not be started: ${String(error)}`))
        .finally(() => {
          running = undefined;
        });
      return running;
    },
    async leave() {
      if (successor === undefined) {
        manager?.stopping();
        return app().stop();
      }
      const next = successor;
      return app().leave(() => next.goOn(app().memory()));
    },
  };
}

const FIRST_PROCESS =
  "this is the container's first process, and the container ends with it: replace the container";
const NO_SOCKETS =
  "the doors are not open yet, or not in threads with sockets of their own: those need 64-bit Linux";
