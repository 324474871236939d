import type { Values } from "./draft.ts";
import { at, mapAt, textAt, textsIn, type Vscf } from "./vscf.ts";

type Take = (message: string, line?: number) => void;

/** The probe for what a resource calls its service types; of several, the first that there is a probe for. */
export function probeFor(
  used: Vscf | undefined,
  types: ReadonlyMap<string, Vscf>,
  note: Take,
): Values | undefined {
  const names = textsIn(used);
  const probes = names
    .map((name) => probeOf(name, types.get(name), note, used?.line))
    .filter((probe) => probe !== undefined);
  if (probes.length > 1)
    note(`service types ${names.join(", ")}: an edge has one probe; the first is taken`, used?.line);
  return probes[0];
}

function probeOf(name: string, type: Vscf | undefined, note: Take, line?: number): Values | undefined {
  if (name === "up" || name === "none") return undefined;
  const plugin = textAt(type, "plugin");
  switch (plugin) {
    case "http_status":
      return {
        type: "http",
        path: textAt(type, "url_path") ?? "/",
        ...numbered(type, "port"),
        ...hostOf(type),
        ...statusOf(type),
        ...timingOf(type),
      };
    case "tcp_connect":
      return { type: "tcp", ...numbered(type, "port"), ...timingOf(type) };
    default:
      note(
        `service type ${name} (${plugin ?? "unknown"}) has no counterpart; write a probe`,
        type?.line ?? line,
      );
      return undefined;
  }
}

function numbered(type: Vscf | undefined, key: "port"): Values {
  const value = Number(textAt(type, key) ?? "80");
  return Number.isInteger(value) ? { [key]: value } : {};
}

function hostOf(type: Vscf | undefined): Values {
  const host = textAt(type, "vhost");
  return host === undefined ? {} : { host };
}

function statusOf(type: Vscf | undefined): Values {
  const codes = textsIn(at(type, "ok_codes")).map(Number).filter(Number.isInteger);
  return codes.length === 0 ? {} : { status: codes };
}

/** gdnsd's own: every 10 s, 3 s at most, 10 good ones of 10 up, 10 bad ones down. */
function timingOf(type: Vscf | undefined): Values {
  const { interval, timeout, ok_thresh: ok, down_thresh: down } = Object.fromEntries(mapAt(type));
  return {
    interval: `${seconds(interval, 10)}s`,
    timeout: `${Math.min(seconds(timeout, 3), seconds(interval, 10))}s`,
    rise: Math.min(seconds(ok, 10), 10),
    fall: Math.min(seconds(down, 10), 10),
  };
}

function seconds(value: Vscf | undefined, usual: number): number {
  return Number(textsIn(value)[0] ?? usual) || usual;
}
