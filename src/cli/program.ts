import { Argument, Command, CommanderError, InvalidArgumentError, Option } from "commander";
import { parseAddress, parsePrefix } from "../base/address.ts";
import type { AgentOptions, CliActions } from "./actions.ts";
import { EXIT } from "./answer.ts";
import { withDigestLast } from "./digest-argument.ts";
import { drain } from "./drain-command.ts";
import * as local from "./local-commands.ts";
import type { Format } from "./page.ts";
import * as service from "./service-commands.ts";
import type { CliIo } from "./terminal.ts";
import { printable } from "./text.ts";

/**
 * Runs one command and returns the exit code: 0 done, 1 the answer is no, 2 wrong usage, 3 the
 * configuration is wrong, 4 the service cannot be reached.
 * @param args without the program's own name: `process.argv.slice(2)`
 */
export async function runCli(args: readonly string[], actions: CliActions, io: CliIo): Promise<number> {
  let exitCode: number = EXIT.done;
  const program = buildProgram(actions, io, (code) => {
    exitCode = code;
  });
  try {
    await program.parseAsync(withDigestLast(args), { from: "user" });
    return exitCode;
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return error.exitCode === 0 ? EXIT.done : EXIT.usage;
  }
}

type OnExit = (code: number) => void;

interface ConfigOption {
  readonly config: string;
}
interface FormatOption {
  readonly output: Format;
}
interface ServiceOptions extends ConfigOption, FormatOption {
  readonly server?: URL;
}

interface DrainFlags {
  readonly reason?: string;
  readonly until?: string;
  readonly by?: string;
  readonly wait: boolean;
}

interface SteerFlags extends ConfigOption {
  readonly service: string;
  readonly path?: string;
  readonly server?: URL;
  readonly location: boolean;
}

interface AgentFlags extends Pick<AgentOptions, "edge" | "source" | "url" | "file" | "tokenFile" | "once"> {
  readonly server?: URL;
  readonly ca?: string;
}

function buildProgram(actions: CliActions, io: CliIo, exit: OnExit): Command {
  const program = new Command("edgeward")
    .description("Directs viewers of streams to the best edge server, by DNS and by HTTP redirects.")
    .version(actions.version, "-V, --version")
    .showHelpAfterError("(--help tells more)")
    .exitOverride()
    .configureOutput({ writeOut: io.out, writeErr: (text) => io.err(escapedLines(text)) })
    .addHelpText("after", EXIT_CODES);
  addLocalCommands(program, actions, io, exit);
  addServiceCommands(program, actions, io, exit);
  return program;
}

const EXIT_CODES = `
EDGEWARD_TOKEN in the environment is the token for the operators' door.
Exit codes: 0 done, 1 the answer is no, 2 wrong usage, 3 the configuration is wrong, 4 the service cannot be reached.`;

/** Those that need the configuration at most, not the running service. */
function addLocalCommands(program: Command, actions: CliActions, io: CliIo, exit: OnExit): void {
  program.commandsGroup("With the configuration alone:");
  program
    .command("serve")
    .description("run the service")
    .addOption(configOption(actions))
    .option("--demo", "also start the edges of the configuration that are on this machine", false)
    .action(async ({ config, demo }: ConfigOption & { demo: boolean }) =>
      exit(await local.serve(actions, io, { configFile: config, demo })),
    );
  program
    .command("check")
    .description("report every problem of the configuration; exit 0 or 3")
    .addOption(configOption(actions))
    .addOption(formatOption())
    .action(async ({ config, output }: ConfigOption & FormatOption) =>
      exit(await local.check(actions, io, config, output)),
    );
  program
    .command("geo")
    .description("where an address is, from which source, and for which network that holds")
    .addArgument(new Argument("<ip>", "IPv4 or IPv6 address").argParser(readAddress))
    .addOption(configOption(actions))
    .addOption(formatOption())
    .action(async (ip: string, { config, output }: ConfigOption & FormatOption) =>
      exit(await local.geo(actions, io, config, ip, output)),
    );
  program
    .command("load")
    .description("read the edge's load sources once and show each field")
    .argument("<id>", "edge")
    .addOption(configOption(actions))
    .addOption(formatOption())
    .action(async (id: string, { config, output }: ConfigOption & FormatOption) =>
      exit(await local.load(actions, io, config, id, output)),
    );
  program
    .command("probe")
    .description("run the edge's probe once and show what it saw")
    .argument("<id>", "edge")
    .addOption(configOption(actions))
    .addOption(formatOption())
    .action(async (id: string, { config, output }: ConfigOption & FormatOption) =>
      exit(await local.probe(actions, io, config, id, output)),
    );
  program
    .command("agent")
    .description(
      "read a server's load here and report it to the service, where it cannot be read from outside",
    )
    .option("--edge <id>", "the edge that this machine is")
    .addOption(new Option("--server <url>", "operators' door to report to").argParser(readServer))
    .option("--source <type>", "what to read, as nginx-rtmp: any load type that needs no secret")
    .option("--url <url>", "where to read it, as http://127.0.0.1/stat")
    .addOption(
      new Option(
        "-f, --file <file>",
        "YAML with load as in an edge, and edge and server if not given here",
      ).conflicts(["source", "url"]),
    )
    .option("--token-file <file>", "holds the token (default: EDGEWARD_TOKEN in the environment)")
    .option("--ca <file>", "certificates, PEM, trusted instead of the usual ones")
    .option("--once", "read and report once, then end; for cron", false)
    .action(async (options: AgentFlags) => {
      if (options.file === undefined && (options.source === undefined || options.url === undefined))
        program.error("error: what to read remains unsaid; give --source and --url, or --file");
      exit(await local.agent(actions, io, agentOptions(options, io)));
    });
  program
    .command("steer")
    .description(
      "print a multivariant playlist or an MPD with the tags of content steering for a service's edges",
    )
    .argument("<file>", "as players get it now: .m3u8 or .mpd")
    .requiredOption("--service <id>", "the service whose edges serve it")
    .option("--path <path>", "where it lies, as players ask for it: /live/cup/index.m3u8")
    .addOption(
      new Option("--server <url>", "the viewers' door as players reach it (default: the hostname)").argParser(
        readServer,
      ),
    )
    .option("--no-location", "leave it to players whom they ask for the next MPD")
    .addOption(configOption(actions))
    .action(async (file: string, { config, server, ...options }: SteerFlags) => {
      if (options.path?.startsWith("/") === false) program.error("error: --path starts with /");
      const origin = server === undefined ? {} : { server: server.origin };
      const { service, location } = options;
      const steer = { service, hasLocation: location, ...given(options, "path"), ...origin };
      exit(await local.steer(actions, io, config, file, steer));
    });
  program
    .command("import")
    .description(
      "print the configuration of another program as ours, and on stderr what could not be carried over",
    )
    .addArgument(
      new Argument("<format>", "what it is: see docs/import.md").choices([...actions.importFormats]),
    )
    .argument("<files...>", "the configuration, and what belongs to it")
    .option(
      "--hostname <name>",
      "of the service, where the other program does not tell",
      "live.cdn.example.net",
    )
    .action(async (format: string, files: string[], { hostname }: { hostname: string }) =>
      exit(await local.importFrom(actions, io, { format, files, hostname })),
    );
  program
    .command("schema")
    .description("print the JSON Schema of the configuration")
    .action(async () => exit(await local.schema(actions, io)));
  program
    .command("version")
    .description("print the versions of edgeward and of its runtime")
    .addOption(formatOption())
    .action(({ output }: FormatOption) => exit(local.version(actions, io, output)));
}

/** Those that ask the running service. */
function addServiceCommands(program: Command, actions: CliActions, io: CliIo, exit: OnExit): void {
  program.commandsGroup("With the running service:");
  const serviceCommand = (name: string, description: string): Command =>
    program
      .command(name)
      .description(description)
      .addOption(configOption(actions))
      .addOption(serverOption())
      .addOption(formatOption());
  const contextOf = ({ config, server, output }: ServiceOptions): service.ServiceContext => ({
    actions,
    io,
    configFile: config,
    server,
    format: output,
  });

  serviceCommand("explain", "every edge for a viewer in order: distance, load, price, or why not")
    .argument("<hostname>", "a service's hostname")
    .addArgument(
      new Argument("<ip>", "the viewer's address, or its network as 203.0.113.0/24").argParser(readPrefix),
    )
    .option("--path <path>", "the request's path: it names the stream")
    .addOption(new Option("--at <door>", "which door is asked").choices(["dns", "http"]))
    .action(async (hostname: string, ip: string, options: ServiceOptions & { path?: string; at?: string }) =>
      exit(await service.explain(contextOf(options), { hostname, ip, ...given(options, "path", "at") })),
    );
  serviceCommand("edges", "health, load and state of every edge now, or everything about one")
    .argument("[id]", "edge")
    .action(async (id: string | undefined, options: ServiceOptions) =>
      exit(
        await (id === undefined ? service.edges(contextOf(options)) : service.edge(contextOf(options), id)),
      ),
    );
  serviceCommand("drain", "take no new viewers on an edge, and move those that steering reaches")
    .argument("<id>", "edge")
    .option("--reason <text>", "shown wherever the edge is")
    .option("--by <time>", "when it is to be empty: 22:00, 2h, or 2030-01-31T18:00:00Z; default: soon")
    .option("--until <time>", "when it takes viewers again by itself; as --by")
    .option("--wait", "tell how many are left, and end when nobody is", false)
    .action(async (id: string, { wait, ...options }: ServiceOptions & DrainFlags) =>
      exit(await drain(contextOf(options), id, { ...given(options, "reason", "until", "by"), wait })),
    );
  serviceCommand("undrain", "let an edge take viewers again")
    .argument("<id>", "edge")
    .option("--reason <text>", "shown wherever the edge is")
    .action(async (id: string, options: ServiceOptions & { reason?: string }) =>
      exit(await service.undrain(contextOf(options), id, given(options, "reason"))),
    );
  addAcmeCommands(
    program.command("acme").description("proofs of hostnames for certificate authorities"),
    (command) => command.addOption(configOption(actions)).addOption(serverOption()).addOption(formatOption()),
    contextOf,
    exit,
  );
  serviceCommand("health", "whether the viewers' doors are open; needs no token").action(
    async (options: ServiceOptions) => exit(await service.health(contextOf(options))),
  );
  serviceCommand("reload", "read the configuration again").action(async (options: ServiceOptions) =>
    exit(await service.reload(contextOf(options))),
  );
  serviceCommand(
    "replace",
    "start the program anew in the running one's place, and lose nobody: for a new version",
  ).action(async (options: ServiceOptions) => exit(await service.replace(contextOf(options))));
}

function agentOptions({ server, ca, once, ...flags }: AgentFlags, { token }: CliIo): AgentOptions {
  return {
    ...given(flags, "edge", "source", "url", "file", "tokenFile"),
    ...(server === undefined ? {} : { server: server.href }),
    ...(ca === undefined ? {} : { caFile: ca }),
    ...(token === undefined ? {} : { token }),
    once,
  };
}

/** TXT values at `_acme-challenge` names (RFC 8555 8.4). */
function addAcmeCommands(
  acme: Command,
  withOptions: (command: Command) => Command,
  contextOf: (options: ServiceOptions) => service.ServiceContext,
  exit: OnExit,
): void {
  const command = (name: string, description: string): Command =>
    withOptions(acme.command(name).description(description));
  command("set", "answer one more value at the _acme-challenge name of a hostname")
    .argument("<hostname>", "a service's hostname, with or without a wildcard's *.")
    .argument("<value>", "what the certificate authority asks for")
    .option("--for <time>", "how long, as 30m or 2h (default: 1h)")
    .action(async (hostname: string, value: string, options: ServiceOptions & { for?: string }) =>
      exit(await service.setChallenge(contextOf(options), hostname, value, options.for)),
    );
  command("unset", "take one value away, or all of the hostname")
    .argument("<hostname>", "a service's hostname")
    .argument("[value]", "the one to take away")
    .action(async (hostname: string, value: string | undefined, options: ServiceOptions) =>
      exit(await service.removeChallenge(contextOf(options), hostname, value)),
    );
  command("list", "the values that are answered now").action(async (options: ServiceOptions) =>
    exit(await service.challenges(contextOf(options))),
  );
}

function configOption({ defaultConfigFile }: CliActions): Option {
  return new Option("-c, --config <file>", "configuration").default(defaultConfigFile);
}

function formatOption(): Option {
  return new Option("-o, --output <format>", "table for people, json for programs")
    .choices(["table", "json"])
    .default("table");
}

function serverOption(): Option {
  return new Option("--server <url>", "operators' door (default: listen.ops of the configuration)").argParser(
    readServer,
  );
}

function readAddress(text: string): string {
  if (parseAddress(text) !== undefined) return text;
  throw new InvalidArgumentError("Expected an address as 203.0.113.7 or 2001:db8::7.");
}

function readPrefix(text: string): string {
  if (parsePrefix(text) !== undefined) return text;
  throw new InvalidArgumentError(
    "Expected an address as 203.0.113.7 or 2001:db8::7, or a network as 203.0.113.0/24.",
  );
}

function readServer(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol) || url.username !== "" || url.password !== "")
    throw new InvalidArgumentError(
      "Expected http://HOST:PORT or https://HOST:PORT, without user and password.",
    );
  return url;
}

/** Those of the options that were given. */
function given<O extends object, K extends keyof O>(options: O, ...names: K[]): Pick<O, K> {
  return Object.fromEntries(
    names.filter((name) => options[name] !== undefined).map((name) => [name, options[name]]),
  ) as Pick<O, K>;
}

/** An argument that is repeated in a message must not move the cursor. */
function escapedLines(text: string): string {
  return text.split("\n").map(printable).join("\n");
}
