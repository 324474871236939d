import type { Credentials, JsonField, LoadField, LoadSource, ReadLoad } from "../model/edge.ts";
import type { Report } from "./report.ts";
import type { LoadSourceInput } from "./schema-load.ts";
import { timeoutOf } from "./timing.ts";

type Input<T> = Extract<LoadSourceInput, { type: T }>;

type PulledInput = Exclude<LoadSourceInput, { type: "push" }>;

/** Checks what hangs together, and fills in what a server's url may leave out. */
export function buildLoad(input: LoadSourceInput, report: Report): LoadSource {
  if (input.type === "push") return { type: input.type, staleAfterMs: input.staleAfter };
  checkStaleness(input, report);
  const read = readLoad(input, report);
  switch (input.type) {
    case "mistserver":
      return { type: input.type, ...read, passphrase: input.passphrase };
    case "nimble":
      return { type: input.type, ...read, ...optional(input, "token") };
    case "wowza":
      return { type: input.type, ...read, ...credentials(input), ...optional(input, "application") };
    case "ant-media":
      checkLogin(input, report);
      return { type: input.type, ...read, ...credentials(input), ...optional(input, "token", "application") };
    case "ovenmediaengine":
      return { type: input.type, ...read, ...optional(input, "token", "application") };
    case "node-exporter":
      return { type: input.type, ...read, ...credentials(input), ...optional(input, "interface") };
    case "astats":
      return {
        type: input.type,
        ...read,
        ...credentials(input),
        ...optional(input, "interface", "application"),
      };
    case "json":
      return { type: input.type, ...read, ...credentials(input), fields: fieldsOf(input.fields, report) };
    case "flashphoner":
    case "nginx-rtmp":
    case "nginx-stub-status":
    case "nginx-vts":
    case "srs":
    case "varnish":
    case "haproxy":
    case "apache":
      return { type: input.type, ...read, ...credentials(input) };
  }
}

function checkStaleness(input: PulledInput, report: Report): void {
  if (input.staleAfter < input.interval) {
    report(
      ["staleAfter"],
      "shorter than the interval: every report would be stale before the next; make it longer",
    );
  }
}

/** Logging in needs both. */
function checkLogin({ username, password }: Input<"ant-media">, report: Report): void {
  if ((username === undefined) === (password === undefined)) return;
  const [given, missing] = username === undefined ? ["password", "username"] : ["username", "password"];
  report([given], `of no use without ${missing}; give both, or a token instead`);
}

const USUAL_TIMEOUT_MS = 2000;

function readLoad(input: PulledInput, report: Report): ReadLoad {
  return {
    staleAfterMs: input.staleAfter,
    url: wholeUrl(input),
    intervalMs: input.interval,
    timeoutMs: timeoutOf(input, USUAL_TIMEOUT_MS, report, ["timeout"], "a reading"),
  };
}

/** Where servers tell their load unless they were configured otherwise. */
const USUAL: { readonly [type in PulledInput["type"]]?: { readonly port?: string; readonly path?: string } } =
  {
    mistserver: { port: "4242" },
    nimble: { port: "8082" },
    wowza: { port: "8086" },
    flashphoner: { port: "8081" },
    "nginx-rtmp": { path: "/stat" },
    "nginx-stub-status": { path: "/stub_status" },
    "nginx-vts": { path: "/status/format/json" },
    srs: { port: "1985" },
    "ant-media": { port: "5080" },
    ovenmediaengine: { port: "8081" },
    varnish: { port: "9131", path: "/metrics" },
    haproxy: { path: "/stats;csv" },
    apache: { path: "/server-status?auto" },
    "node-exporter": { port: "9100", path: "/metrics" },
    astats: { path: "/_astats" },
  };

/** A url with a path is whole; one without gets the usual path and, if it is http without a port, the usual port. */
function wholeUrl({ type, url }: PulledInput): string {
  const whole = new URL(url);
  const usual = USUAL[type];
  if (usual === undefined || whole.pathname !== "/" || whole.search !== "") return url;
  if (whole.protocol === "http:" && whole.port === "") whole.port = usual.port ?? "";
  const path = type === "wowza" && whole.port !== "8087" ? "/connectioncounts" : usual.path;
  return whole.origin + (path ?? "/");
}

function credentials(input: {
  readonly username?: string | undefined;
  readonly password?: string | undefined;
}): Credentials {
  return optional(input, "username", "password");
}

/** Those keys of an input that have a value. */
function optional<K extends string>(
  input: { readonly [key in K]?: string | undefined },
  ...keys: readonly K[]
): { readonly [key in K]?: string } {
  const given = keys.filter((key) => input[key] !== undefined);
  return Object.fromEntries(given.map((key) => [key, input[key]])) as { readonly [key in K]?: string };
}

function fieldsOf(input: Input<"json">["fields"], report: Report): { [field in LoadField]?: JsonField } {
  const fields: { [field in LoadField]?: JsonField } = {};
  for (const [name, field] of Object.entries(input)) {
    if (field === undefined) continue;
    fields[name as LoadField] = Array.isArray(field) ? { path: field, factor: 1 } : jsonField(field);
  }
  if (Object.keys(fields).length === 0) report(["fields"], "empty; give the path of at least one field");
  if (fields.streams?.counter) report(["fields", "streams", "counter"], "names do not count; leave it out");
  return fields;
}

function jsonField(
  field: Exclude<NonNullable<Input<"json">["fields"]["cpu"]>, readonly unknown[]>,
): JsonField {
  const { path, factor, counter } = field;
  return { path, factor, ...(counter === true ? { counter } : {}) };
}
