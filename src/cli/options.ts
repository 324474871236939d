import { InvalidArgumentError, Option } from "commander";
import { parseAddress, parsePrefix } from "../base/address.ts";
import type { CliActions } from "./actions.ts";
import type { Format } from "./page.ts";

/** Options and arguments that several commands have. */
export interface ConfigOption {
  readonly config: string;
}
export interface FormatOption {
  readonly output: Format;
}

export function configOption({ defaultConfigFile }: CliActions): Option {
  return new Option("-c, --config <file>", "configuration").default(defaultConfigFile);
}

export function formatOption(): Option {
  return new Option("-o, --output <format>", "table for people, json for programs")
    .choices(["table", "json"])
    .default("table");
}

export function serverOption(): Option {
  return new Option("--server <url>", "operators' door (default: listen.ops of the configuration)").argParser(
    readServer,
  );
}

export function readAddress(text: string): string {
  if (parseAddress(text) !== undefined) return text;
  throw new InvalidArgumentError("Expected an address as 203.0.113.7 or 2001:db8::7.");
}

export function readPrefix(text: string): string {
  if (parsePrefix(text) !== undefined) return text;
  throw new InvalidArgumentError(
    "Expected an address as 203.0.113.7 or 2001:db8::7, or a network as 203.0.113.0/24.",
  );
}

export function readServer(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol) || url.username !== "" || url.password !== "")
    throw new InvalidArgumentError(
      "Expected http://HOST:PORT or https://HOST:PORT, without user and password.",
    );
  return url;
}

export function readPath(text: string): string {
  if (text.startsWith("/")) return text;
  throw new InvalidArgumentError("Expected a path as /live/cup/index.m3u8, with the / in front.");
}

/** Those of the options that were given. */
export function given<O extends object, K extends keyof O>(options: O, ...names: K[]): Pick<O, K> {
  return Object.fromEntries(
    names.filter((name) => options[name] !== undefined).map((name) => [name, options[name]]),
  ) as Pick<O, K>;
}
