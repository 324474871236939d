import { Argument, type Command, Option } from "commander";
import { addAgent } from "./agent-syntax.ts";
import * as local from "./local-commands.ts";
import {
  type ConfigOption,
  configOption,
  type FormatOption,
  formatOption,
  given,
  readAddress,
  readPath,
  readServer,
} from "./options.ts";
import type { Shell } from "./shell.ts";

/** Those that need the configuration at most, not the running service. */
export function addLocalCommands(program: Command, shell: Shell): void {
  program.commandsGroup("With the configuration alone:");
  addServe(program, shell);
  addLooks(program, shell);
  addAgent(program, shell);
  addSteer(program, shell);
  addImport(program, shell);
  addAbout(program, shell);
}

function addServe(program: Command, { actions, io, ending }: Shell): void {
  program
    .command("serve")
    .description("run the service")
    .addOption(configOption(actions))
    .option("--demo", "also start the edges of the configuration that are on this machine", false)
    .action(
      ending(({ config, demo }: ConfigOption & { demo: boolean }) =>
        local.serve(actions, io, { configFile: config, demo }),
      ),
    );
}

/** What the configuration says, and what becomes of one part of it. */
function addLooks(program: Command, { actions, io, ending }: Shell): void {
  const command = (name: string, description: string): Command =>
    program.command(name).description(description).addOption(configOption(actions)).addOption(formatOption());
  command("check", "report every problem of the configuration; exit 0 or 3").action(
    ending(({ config, output }: ConfigOption & FormatOption) => local.check(actions, io, config, output)),
  );
  command("geo", "where an address is, from which source, and for which network that holds")
    .addArgument(new Argument("<ip>", "IPv4 or IPv6 address").argParser(readAddress))
    .action(
      ending((ip: string, { config, output }: ConfigOption & FormatOption) =>
        local.geo(actions, io, config, ip, output),
      ),
    );
  command("load", "read the edge's load sources once and show each field")
    .argument("<id>", "edge")
    .action(
      ending((id: string, { config, output }: ConfigOption & FormatOption) =>
        local.load(actions, io, config, id, output),
      ),
    );
  command("probe", "run the edge's probe once and show what it saw")
    .argument("<id>", "edge")
    .action(
      ending((id: string, { config, output }: ConfigOption & FormatOption) =>
        local.probe(actions, io, config, id, output),
      ),
    );
}

interface SteerFlags extends ConfigOption {
  readonly service: string;
  readonly path?: string;
  readonly server?: URL;
  readonly location: boolean;
}

function addSteer(program: Command, { actions, io, ending }: Shell): void {
  program
    .command("steer")
    .description(
      "print a multivariant playlist or an MPD with the tags of content steering for a service's edges",
    )
    .argument("<file>", "as players get it now: .m3u8 or .mpd")
    .requiredOption("--service <id>", "the service whose edges serve it")
    .addOption(
      new Option("--path <path>", "where it lies, as players ask for it: /live/cup/index.m3u8").argParser(
        readPath,
      ),
    )
    .addOption(
      new Option("--server <url>", "the viewers' door as players reach it (default: the hostname)").argParser(
        readServer,
      ),
    )
    .option("--no-location", "leave it to players whom they ask for the next MPD")
    .addOption(configOption(actions))
    .action(
      ending((file: string, { config, server, ...options }: SteerFlags) => {
        const origin = server === undefined ? {} : { server: server.origin };
        const { service, location } = options;
        const steer = { service, hasLocation: location, ...given(options, "path"), ...origin };
        return local.steer(actions, io, config, file, steer);
      }),
    );
}

function addImport(program: Command, { actions, io, ending }: Shell): void {
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
    .action(
      ending((format: string, files: string[], { hostname }: { hostname: string }) =>
        local.importFrom(actions, io, { format, files, hostname }),
      ),
    );
}

function addAbout(program: Command, { actions, io, ending }: Shell): void {
  program
    .command("schema")
    .description("print the JSON Schema of the configuration")
    .action(ending(() => local.schema(actions, io)));
  program
    .command("version")
    .description("print the versions of edgeward and of its runtime")
    .addOption(formatOption())
    .action(ending(({ output }: FormatOption) => local.version(actions, io, output)));
}
