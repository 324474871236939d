import { challengesPage } from "./acme-page.ts";
import type { CliActions } from "./actions.ts";
import { type Answer, done, EXIT } from "./answer.ts";
import { createClient, type ExplainQuestion, type OpsClient } from "./client.ts";
import { edgePage, edgesPage, originOf } from "./edges-page.ts";
import { explainPage } from "./explain-page.ts";
import { type Format, type Page, show } from "./page.ts";
import type { CliIo } from "./terminal.ts";
import { printable } from "./text.ts";
import type { AbsentEdgeView, EdgeView } from "../model/views.ts";
import { readUntil } from "./until.ts";
import type { AcmeChangedView, StateSetView } from "./views.ts";

/** Each command asks the running service, shows what it says and returns the exit code. */
export interface ServiceContext {
  readonly actions: CliActions;
  readonly io: CliIo;
  readonly configFile: string;
  /** From `--server`; otherwise the configuration tells. */
  readonly server: URL | undefined;
  readonly format: Format;
}

export function explain(context: ServiceContext, question: ExplainQuestion): Promise<number> {
  return run(context, (client) => client.explain(question), {
    lines: (view, look) => explainPage(question.hostname, view, look),
    exitCode: ({ outcome }) => (outcome.kind === "refused" ? EXIT.no : EXIT.done),
  });
}

interface EdgesAnswer {
  readonly edges: readonly EdgeView[];
  readonly absent: readonly AbsentEdgeView[];
}

export function edges(context: ServiceContext): Promise<number> {
  return run(context, askEdges, {
    lines: ({ edges, absent }, look) => edgesPage(edges, absent, look),
    json: ({ edges }) => edges,
  });
}

async function askEdges(client: OpsClient): Promise<Answer<EdgesAnswer>> {
  const [answer, status] = await Promise.all([client.edges(), client.status()]);
  if (answer.kind !== "done") return answer;
  const absent = status.kind === "done" ? status.value.absentEdges : undefined;
  return done({ edges: answer.value, absent: absent ?? [] });
}

export function edge(context: ServiceContext, id: string): Promise<number> {
  return run(context, (client) => client.edge(id), { lines: edgePage });
}

export function undrain(
  context: ServiceContext,
  id: string,
  rest: { readonly reason?: string },
): Promise<number> {
  const ask = (client: OpsClient): Promise<Answer<StateSetView>> =>
    client.setState(id, { state: "active", ...rest });
  return run(context, ask, statePage(id, "is active: it takes viewers again"));
}

export function challenges(context: ServiceContext): Promise<number> {
  return run(context, (client) => client.challenges(), { lines: challengesPage });
}

export function setChallenge(
  context: ServiceContext,
  hostname: string,
  value: string,
  lasts: string | undefined,
): Promise<number> {
  const ask = async (client: OpsClient): Promise<Answer<AcmeChangedView>> => {
    const end = lasts === undefined ? undefined : readUntil(lasts, context.io.nowMs());
    if (end?.kind === "wrong") return { kind: "wrong-usage", message: `--for: ${end.message}` };
    return client.setChallenge(hostname, value, end?.text);
  };
  return run(context, ask, {
    lines: (view, look) => challengesPage(view.challenges, look),
  });
}

export function removeChallenge(
  context: ServiceContext,
  hostname: string,
  value: string | undefined,
): Promise<number> {
  return run(context, (client) => client.removeChallenge(hostname, value), {
    lines: ({ removed, challenges }, look) => [
      `${removed} removed`,
      ...(challenges.length === 0 ? [] : challengesPage(challenges, look)),
    ],
    exitCode: ({ removed }) => (removed === 0 ? EXIT.no : EXIT.done),
  });
}

export function reload(context: ServiceContext): Promise<number> {
  return run(context, (client) => client.reload(), {
    lines: ({ changed }) =>
      changed.length === 0
        ? ["reloaded; nothing has changed"]
        : ["reloaded; changed:", ...changed.map((path) => `  ${printable(path)}${LATER[path] ?? ""}`)],
  });
}

/** What a reload reads, and does not put into effect. */
const LATER: { readonly [path: string]: string } = {
  listen: " (addresses from `edgeward replace` or a restart on)",
  stateFile: " (from `edgeward replace` or a restart on)",
};

export function replace(context: ServiceContext): Promise<number> {
  return run(context, (client) => client.replace(), {
    lines: ({ pid }) => [`replaced; process ${pid} serves`],
  });
}

export function health(context: ServiceContext): Promise<number> {
  return run(context, (client) => client.ready(), {
    lines: ({ ready, reasons, alarms = [] }) => [
      ...(ready ? ["ready"] : ["not ready:", ...reasons.map((why) => `  ${printable(why)}`)]),
      ...alarms.map((alarm) => `alarm: ${printable(alarm)}`),
    ],
    exitCode: ({ ready }) => (ready ? EXIT.done : EXIT.no),
  });
}

/** Asks with a client of its own. */
export async function run<T>(
  { actions, io, configFile, server, format }: ServiceContext,
  ask: (client: OpsClient) => Promise<Answer<T>>,
  page: Page<T>,
): Promise<number> {
  const found = server === undefined ? await serverOf(actions, configFile) : done(server);
  if (found.kind !== "done") return show(io, format, found, page);
  const client = createClient(found.value, io.token);
  try {
    return show(io, format, await ask(client), page);
  } finally {
    await client.close();
  }
}

const USUAL_SERVER = "http://127.0.0.1:9153";

async function serverOf(actions: CliActions, configFile: string): Promise<Answer<URL>> {
  const told = await actions.defaultServer(configFile);
  return told.kind === "done" ? done(new URL(told.value ?? USUAL_SERVER)) : told;
}

/** What an operator changed. */
export function statePage(id: string, becomes: string): Page<StateSetView> {
  return {
    lines: ({ condition, replaced }, look) => {
      if (condition === undefined)
        return [printable(`${id} is not configured; what was set of it is forgotten`)];
      const origin = originOf(condition, look).map((text) => `(${text})`);
      const before =
        replaced === undefined ? [] : [`before: ${replaced.state}, ${originOf(replaced, look).join()}`];
      return [[id, becomes, ...origin].join(" "), ...before].map(printable);
    },
    warning: ({ persisted, unserved = [] }) => {
      const warnings = [
        ...(persisted ? [] : [FORGOTTEN]),
        ...(unserved.length === 0 ? [] : [`${UNSERVED} ${printable(unserved.join(", "))}`]),
      ];
      return warnings.length === 0 ? undefined : warnings.join("; ");
    },
  };
}

const UNSERVED = "no edge takes viewers any more, who get the fallback or are refused, of service";

const FORGOTTEN = "this holds now but could not be written to the state file; a restart will forget it";
