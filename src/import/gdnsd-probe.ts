import type { Values } from "./draft.ts";
import { isHostname } from "./host.ts";
import { at, textAt, textsIn, type Vscf } from "./vscf.ts";

type Take = (message: string, line?: number) => void;

/** How a resource's addresses are monitored. */
export interface Monitored {
  readonly probe?: Values;
  /** Permanently, by gdnsd's own service type `down`. */
  readonly isDown: boolean;
}

/** By what a resource calls its service types: the probe for the first that there is one for. */
export function monitoredBy(used: Vscf | undefined, types: ReadonlyMap<string, Vscf>, note: Take): Monitored {
  const names = textsIn(used);
  const probes = names
    .map((name) => probeOf(name, types.get(name), note, used?.line))
    .filter((probe) => probe !== undefined);
  if (probes.length > 1)
    note(`service types ${names.join(", ")}: an edge has one probe; the first is taken`, used?.line);
  const [probe] = probes;
  return { isDown: names.includes("down"), ...(probe === undefined ? {} : { probe }) };
}

const BUILT_IN: ReadonlySet<string> = new Set(["up", "down", "none"]);

function probeOf(name: string, type: Vscf | undefined, note: Take, line?: number): Values | undefined {
  if (BUILT_IN.has(name)) return undefined;
  const plugin = textAt(type, "plugin");
  const told: Take = (message) => note(`service type ${name}: ${message}`, type?.line ?? line);
  const isUsual = plugin === "http_status" && at(type, "port") === undefined;
  const port = isUsual ? 80 : wholeAt(type, "port", { max: 65_535, usual: undefined });
  if ((plugin === "http_status" || plugin === "tcp_connect") && port === undefined) {
    told("no usable port; write a probe");
    return undefined;
  }
  switch (plugin) {
    case "http_status":
      return {
        type: "http",
        path: pathOf(type, told),
        port,
        ...hostOf(type, told),
        status: statusOf(type),
        ...timingOf(type, told),
      };
    case "tcp_connect":
      return { type: "tcp", port, ...timingOf(type, told) };
    default:
      note(
        `service type ${name} (${plugin ?? "unknown"}) has no counterpart; write a probe`,
        type?.line ?? line,
      );
      return undefined;
  }
}

function pathOf(type: Vscf | undefined, told: Take): string {
  const path = textAt(type, "url_path") ?? "/";
  if (/^\/[!"$-~]*$/.test(path)) return path;
  told("url_path is none that could be asked for; / is taken");
  return "/";
}

function hostOf(type: Vscf | undefined, told: Take): Values {
  const host = textAt(type, "vhost");
  if (host === undefined) return {};
  if (isHostname(host)) return { host };
  told("vhost is no hostname; left out");
  return {};
}

/** 200 alone, unless told otherwise. */
function statusOf(type: Vscf | undefined): number[] {
  const codes = textsIn(at(type, "ok_codes")).map(Number);
  const usable = codes.filter((code) => Number.isInteger(code) && code >= 100 && code <= 599);
  return usable.length === 0 ? [200] : usable;
}

/** The most that `rise` and `fall` may be here. */
const IN_A_ROW_MAX = 10;

/** gdnsd's own: every 10 s, half of that at most, 20 good ones up, 10 bad ones down. */
function timingOf(type: Vscf | undefined, told: Take): Values {
  const interval = wholeAt<number>(type, "interval", { max: 255, usual: 10 });
  const timeout = wholeAt<number>(type, "timeout", { max: interval, usual: interval / 2 });
  const inARow = (key: string, usual: number): number => {
    const wanted = wholeAt(type, key, { max: 65_535, usual });
    if (wanted > IN_A_ROW_MAX && at(type, key) !== undefined)
      told(`${key} ${wanted}: at most ${IN_A_ROW_MAX} in a row count here`);
    return Math.min(wanted, IN_A_ROW_MAX);
  };
  return {
    interval: `${interval}s`,
    timeout: `${timeout}s`,
    rise: inARow("up_thresh", 20),
    fall: inARow("down_thresh", 10),
  };
}

/** A whole number from 1 on. */
function wholeAt<U extends number | undefined>(
  type: Vscf | undefined,
  key: string,
  { max, usual }: { max: number; usual: U },
): number | U {
  const text = textAt(type, key);
  const value = Number(text);
  return text !== undefined && Number.isInteger(value) && value >= 1 && value <= max ? value : usual;
}
