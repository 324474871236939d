import type { AgentOptions, CliActions, ImportOptions, ServeOptions, SteerOptions } from "./actions.ts";
import { formatProblem } from "../base/problem.ts";
import { countOf, done, EXIT, exitCodeOf, failureText } from "./answer.ts";
import { isRead, loadPage, unreadText } from "./load-page.ts";
import { type Format, show } from "./page.ts";
import { geoPage } from "./place.ts";
import { isHealthy, probePage } from "./probe-page.ts";
import type { CliIo } from "./terminal.ts";
import { printable, printableJson } from "./text.ts";

/** Each runs one command and returns its exit code. */
export async function serve(actions: CliActions, io: CliIo, options: ServeOptions): Promise<number> {
  const answer = await actions.serve(options);
  if (answer.kind === "done") return EXIT.done;
  io.err(failureText(answer));
  return exitCodeOf(answer);
}

export async function agent(actions: CliActions, io: CliIo, options: AgentOptions): Promise<number> {
  const answer = await actions.agent(options);
  if (answer.kind === "done") return EXIT.done;
  io.err(failureText(answer));
  return exitCodeOf(answer);
}

export async function check(
  actions: CliActions,
  io: CliIo,
  configFile: string,
  format: Format,
): Promise<number> {
  return show(io, format, done(await actions.check(configFile)), {
    lines: ({ file, problems, notes = [], summary }) =>
      problems.length === 0
        ? [
            ...notes.map((note) => `note: ${formatProblem(note)}`),
            `${file}: no problems${summary === undefined ? "" : `; ${summary}`}`,
          ].map(printable)
        : [...problems.map(formatProblem), `${file}: ${countOf(problems)}`].map(printable),
    exitCode: ({ problems }) => (problems.length === 0 ? EXIT.done : EXIT.configuration),
  });
}

export async function geo(
  actions: CliActions,
  io: CliIo,
  configFile: string,
  ip: string,
  format: Format,
): Promise<number> {
  return show(io, format, await actions.geo(configFile, ip), {
    lines: geoPage,
    exitCode: ({ layer }) => (layer === "none" ? EXIT.no : EXIT.done),
  });
}

export async function load(
  actions: CliActions,
  io: CliIo,
  configFile: string,
  edgeId: string,
  format: Format,
): Promise<number> {
  return show(io, format, await actions.load(configFile, edgeId), {
    lines: loadPage,
    json: ({ report }) => report,
    warning: (view) => (format === "json" ? unreadText(view) : undefined),
    exitCode: (view) => (isRead(view) ? EXIT.done : EXIT.no),
  });
}

export async function probe(
  actions: CliActions,
  io: CliIo,
  configFile: string,
  edgeId: string,
  format: Format,
): Promise<number> {
  return show(io, format, await actions.probe(configFile, edgeId), {
    lines: probePage,
    exitCode: (view) => (isHealthy(view) ? EXIT.done : EXIT.no),
  });
}

export async function steer(
  actions: CliActions,
  io: CliIo,
  configFile: string,
  file: string,
  options: SteerOptions,
): Promise<number> {
  const answer = await actions.steer(configFile, file, options);
  if (answer.kind === "done") io.out(answer.value);
  else io.err(failureText(answer));
  return answer.kind === "done" ? EXIT.done : exitCodeOf(answer);
}

/** The YAML alone on stdout, so that it can go into a file; the rest on stderr. */
export async function importFrom(actions: CliActions, io: CliIo, options: ImportOptions): Promise<number> {
  const answer = await actions.import(options);
  if (answer.kind !== "done") {
    io.err(failureText(answer));
    return exitCodeOf(answer);
  }
  const { yaml, notes } = answer.value;
  io.out(yaml);
  io.err(notes.map((note) => `${printable(note)}\n`).join(""));
  return EXIT.done;
}

export async function schema(actions: CliActions, io: CliIo): Promise<number> {
  const schema = await actions.schema();
  io.out(typeof schema === "string" ? `${schema.trimEnd()}\n` : printableJson(schema));
  return EXIT.done;
}

export function version({ version }: CliActions, io: CliIo, format: Format): number {
  return show(
    io,
    format,
    done({ version, node: process.version, platform: `${process.platform}-${process.arch}` }),
    {
      lines: ({ version, node, platform }) => [`edgeward ${version}, Node.js ${node}, ${platform}`],
    },
  );
}
