import { type Command, Option } from "commander";
import type { AgentOptions } from "./actions.ts";
import * as local from "./local-commands.ts";
import { given, readServer } from "./options.ts";
import type { Shell } from "./shell.ts";
import type { CliIo } from "./terminal.ts";

interface AgentFlags extends Pick<AgentOptions, "edge" | "source" | "url" | "file" | "tokenFile" | "once"> {
  readonly server?: URL;
  readonly ca?: string;
}

export function addAgent(program: Command, { actions, io, ending }: Shell): void {
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
    .action(
      ending((options: AgentFlags) => {
        if (options.file === undefined && (options.source === undefined || options.url === undefined))
          program.error("error: what to read remains unsaid; give --source and --url, or --file");
        return local.agent(actions, io, agentOptions(options, io));
      }),
    );
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
