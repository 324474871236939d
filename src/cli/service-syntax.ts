import { Argument, type Command, Option } from "commander";
import { drain } from "./drain-command.ts";
import {
  type ConfigOption,
  configOption,
  type FormatOption,
  formatOption,
  given,
  readPath,
  readPrefix,
  serverOption,
} from "./options.ts";
import * as service from "./service-commands.ts";
import type { Shell } from "./shell.ts";

interface ServiceOptions extends ConfigOption, FormatOption {
  readonly server?: URL;
}

interface DrainFlags {
  readonly reason?: string;
  readonly until?: string;
  readonly by?: string;
  readonly wait: boolean;
}

/** Those that ask the running service. */
export function addServiceCommands(program: Command, shell: Shell): void {
  program.commandsGroup("With the running service:");
  addViews(program, shell);
  addStates(program, shell);
  addAcme(program, shell);
  addUpkeep(program, shell);
}

function addViews(program: Command, shell: Shell): void {
  const { ending } = shell;
  serviceCommand(
    program,
    shell,
    "explain",
    "every edge for a viewer in order: distance, load, price, or why not",
  )
    .argument("<hostname>", "a service's hostname")
    .addArgument(
      new Argument("<ip>", "the viewer's address, or its network as 203.0.113.0/24").argParser(readPrefix),
    )
    .addOption(new Option("--path <path>", "the request's path: it names the stream").argParser(readPath))
    .addOption(new Option("--at <door>", "which door is asked").choices(["dns", "http"]))
    .action(
      ending((hostname: string, ip: string, options: ServiceOptions & { path?: string; at?: string }) =>
        service.explain(contextOf(shell, options), { hostname, ip, ...given(options, "path", "at") }),
      ),
    );
  serviceCommand(program, shell, "edges", "health, load and state of every edge now, or everything about one")
    .argument("[id]", "edge")
    .action(
      ending((id: string | undefined, options: ServiceOptions) => {
        const context = contextOf(shell, options);
        return id === undefined ? service.edges(context) : service.edge(context, id);
      }),
    );
}

function addStates(program: Command, shell: Shell): void {
  const { ending } = shell;
  serviceCommand(
    program,
    shell,
    "drain",
    "take no new viewers on an edge, and move those that steering reaches",
  )
    .argument("<id>", "edge")
    .option("--reason <text>", "shown wherever the edge is")
    .option("--by <time>", "when it is to be empty: 22:00, 2h, or 2030-01-31T18:00:00Z; default: soon")
    .option("--until <time>", "when it takes viewers again by itself; as --by")
    .option("--wait", "tell how many are left, and end when nobody is", false)
    .action(
      ending((id: string, { wait, ...options }: ServiceOptions & DrainFlags) =>
        drain(contextOf(shell, options), id, { ...given(options, "reason", "until", "by"), wait }),
      ),
    );
  serviceCommand(program, shell, "undrain", "let an edge take viewers again")
    .argument("<id>", "edge")
    .option("--reason <text>", "shown wherever the edge is")
    .action(
      ending((id: string, options: ServiceOptions & { reason?: string }) =>
        service.undrain(contextOf(shell, options), id, given(options, "reason")),
      ),
    );
}

/** TXT values at `_acme-challenge` names (RFC 8555 8.4). */
function addAcme(program: Command, shell: Shell): void {
  const { ending } = shell;
  const acme = program.command("acme").description("proofs of hostnames for certificate authorities");
  serviceCommand(acme, shell, "set", "answer one more value at the _acme-challenge name of a hostname")
    .argument("<hostname>", "a service's hostname, with or without a wildcard's *.")
    .argument("<value>", "what the certificate authority asks for")
    .option("--for <time>", "how long, as 30m or 2h (default: 1h)")
    .action(
      ending((hostname: string, value: string, options: ServiceOptions & { for?: string }) =>
        service.setChallenge(contextOf(shell, options), hostname, value, options.for),
      ),
    );
  serviceCommand(acme, shell, "unset", "take one value away, or all of the hostname")
    .argument("<hostname>", "a service's hostname")
    .argument("[value]", "the one to take away")
    .action(
      ending((hostname: string, value: string | undefined, options: ServiceOptions) =>
        service.removeChallenge(contextOf(shell, options), hostname, value),
      ),
    );
  serviceCommand(acme, shell, "list", "the values that are answered now").action(
    ending((options: ServiceOptions) => service.challenges(contextOf(shell, options))),
  );
}

function addUpkeep(program: Command, shell: Shell): void {
  const { ending } = shell;
  serviceCommand(program, shell, "health", "whether the viewers' doors are open; needs no token").action(
    ending((options: ServiceOptions) => service.health(contextOf(shell, options))),
  );
  serviceCommand(program, shell, "reload", "read the configuration again").action(
    ending((options: ServiceOptions) => service.reload(contextOf(shell, options))),
  );
  serviceCommand(
    program,
    shell,
    "replace",
    "start the program anew in the running one's place, and lose nobody: for a new version",
  ).action(ending((options: ServiceOptions) => service.replace(contextOf(shell, options))));
}

function serviceCommand(parent: Command, { actions }: Shell, name: string, description: string): Command {
  return parent
    .command(name)
    .description(description)
    .addOption(configOption(actions))
    .addOption(serverOption())
    .addOption(formatOption());
}

function contextOf(
  { actions, io }: Shell,
  { config, server, output }: ServiceOptions,
): service.ServiceContext {
  return { actions, io, configFile: config, server, format: output };
}
