import type { NodeExporterLoad } from "../model/edge.ts";
import { type Amounts, advance, type Counters, type Moment, rateOf } from "./counters.ts";
import { type PrometheusSample, readMetrics, valueOf } from "./prometheus.ts";
import { bandwidthReading, gapWords } from "./rates.ts";
import { type FieldReading, shareReading, type SourceType, unreadable } from "./source.ts";
import { looksLike } from "./document.ts";

const WANTED = [
  "node_network_transmit_bytes_total",
  "node_network_speed_bytes",
  "node_cpu_seconds_total",
  "node_memory_MemAvailable_bytes",
  "node_memory_MemTotal_bytes",
  "node_time_seconds",
  "node_boot_time_seconds",
] as const;

type Metrics = ReturnType<typeof readMetrics<(typeof WANTED)[number]>>;

/** The machine, as Prometheus' node_exporter sees it: for servers that know nothing of CPU, memory and network. */
export const nodeExporterSource: SourceType<NodeExporterLoad> = {
  requests: ({ url }) => [{ url }],
  read(source, [reply], before) {
    const { body = "", receivedAtMs = 0 } = reply ?? {};
    const metrics = readMetrics(body, WANTED);
    if (metrics.node_cpu_seconds_total.length === 0 && metrics.node_memory_MemTotal_bytes.length === 0)
      return unreadable(`expected the metrics of node_exporter, got ${looksLike(body)}`);
    const devices = devicesOf(source, metrics);
    const sent = amounts(devices, "sent");
    const memory = advance(
      before,
      { ...sent, ...cpuSeconds(metrics, before) },
      {
        receivedAtMs,
        ...clockOf(metrics),
        life: valueOf(metrics.node_boot_time_seconds) ?? 0,
      },
    );
    const octetsPerSecond = speedOf(devices, metrics);
    return {
      kind: "fields",
      fields: [
        bandwidthOf(source, devices, sent, memory),
        cpuReading(memory),
        shareReading("memory", memoryShare(metrics), "1 - node_memory_MemAvailable_bytes ÷ MemTotal_bytes"),
      ],
      ...(octetsPerSecond > 0 ? { capacity: { bandwidth: octetsPerSecond * 8 } } : {}),
      memory,
      again: memory.gap === "first",
    };
  },
};

/** Its collector can be switched off, as any other: then it is our clock that counts. */
function clockOf(metrics: Metrics): Pick<Moment, "clockMs"> {
  const seconds = valueOf(metrics.node_time_seconds);
  return seconds === undefined ? {} : { clockMs: seconds * 1000 };
}

/** Interfaces that carry what another carries too, or nothing that leaves the machine. */
const VIRTUAL = new RegExp(
  "^(lo|docker|br-|br\\d|vmbr|virbr|ovs|fwbr|fwpr|fwln|veth|cni|flannel|cali|cilium|kube|nodelocaldns|azv|" +
    "vxlan|geneve|gre|erspan|sit|ip6tnl|ip_vti|ifb|tun|tap|wg|tailscale|zt|dummy|podman|lxc|vnet|macv|ipvl)",
);

/**
 * The configured interface, or all that are not virtual; a bond or a team stands for its members, and a VLAN's octets
 * are its interface's.
 */
function devicesOf({ interface: wanted }: NodeExporterLoad, metrics: Metrics): PrometheusSample[] {
  const all = metrics.node_network_transmit_bytes_total;
  if (wanted !== undefined) return all.filter(({ labels }) => labels["device"] === wanted);
  const names = new Set(all.map(({ labels }) => labels["device"]));
  const isVlan = (name: string): boolean => /\.\d+$/.test(name) && names.has(name.replace(/\.\d+$/, ""));
  const real = all.filter(({ labels: { device = "" } }) => !VIRTUAL.test(device) && !isVlan(device));
  const bonds = real.filter(({ labels }) => /^(bond|team)\d/.test(labels["device"] ?? ""));
  return bonds.length > 0 ? bonds : real;
}

function amounts(devices: readonly PrometheusSample[], prefix: string): Amounts {
  return Object.fromEntries(devices.map(({ labels, value }) => [`${prefix} ${labels["device"]}`, value]));
}

/** Seconds by CPU, in all modes and in the idle ones; those may run back a little on a virtual machine. */
function cpuSeconds(metrics: Metrics, before: Counters | undefined): Amounts {
  const seconds: { [name: string]: number } = {};
  for (const { labels, value } of metrics.node_cpu_seconds_total) {
    const name = `cpu ${labels["cpu"]} ${labels["mode"]}`;
    const last = before?.values[name] ?? 0;
    seconds[name] = last > value && last - value < BACKWARDS_SECONDS ? last : value;
  }
  return seconds;
}

const BACKWARDS_SECONDS = 1;

function bandwidthOf(
  { interface: wanted }: NodeExporterLoad,
  devices: readonly PrometheusSample[],
  sent: Amounts,
  memory: Counters,
): FieldReading {
  const names = devices.map(({ labels }) => labels["device"] ?? "").join(", ");
  const from = `node_network_transmit_bytes_total of ${wanted ?? names}, × 8 per second`;
  if (devices.length > 0) return bandwidthReading(memory, from, Object.keys(sent));
  const known = wanted === undefined ? "it has none but virtual ones" : `it has no interface of that name`;
  return { field: "bandwidth", from, problem: known };
}

function cpuReading(memory: Counters): FieldReading {
  const from = "1 - idle and iowait of node_cpu_seconds_total";
  const names = Object.keys(memory.values).filter((name) => name.startsWith("cpu "));
  const all = rateOf(memory, names);
  const idle = rateOf(
    memory,
    names.filter((name) => / (idle|iowait)$/.test(name)),
  );
  if (all === undefined || idle === undefined || all <= 0)
    return { field: "cpu", from, problem: names.length === 0 ? "nothing there" : gapWords(memory) };
  return shareReading("cpu", 1 - idle / all, from);
}

function memoryShare(metrics: Metrics): number | undefined {
  const available = valueOf(metrics.node_memory_MemAvailable_bytes);
  const total = valueOf(metrics.node_memory_MemTotal_bytes) ?? 0;
  return available === undefined || total <= 0 ? undefined : 1 - available / total;
}

/** Octets per second; an unknown speed is negative, and makes the whole unknown. */
function speedOf(devices: readonly PrometheusSample[], metrics: Metrics): number {
  const byDevice = new Map(
    metrics.node_network_speed_bytes.map(({ labels, value }) => [labels["device"], value]),
  );
  const speeds = devices.map(({ labels }) => byDevice.get(labels["device"]) ?? -1);
  return speeds.every((speed) => speed > 0) ? speeds.reduce((a, b) => a + b, 0) : -1;
}
