import { parseAddress, parsePrefix } from "../../src/base/address.ts";
import type { Address } from "../../src/model/address.ts";
import type {
  DnsProbe,
  Edge,
  HlsProbe,
  HttpProbe,
  RtmpProbe,
  TcpProbe,
  WebSocketProbe,
} from "../../src/model/edge.ts";
import type { Inventory } from "../../src/model/inventory.ts";

const TIMING = { intervalMs: 1000, timeoutMs: 500, rise: 3, fall: 2 };

export function httpProbe(url: string, other: Partial<HttpProbe> = {}): HttpProbe {
  const probe = { type: "http", url, host: new URL(url).host, status: [200], tls: { verify: true } } as const;
  return { ...TIMING, ...probe, ...other };
}

export function tcpProbe(port: number, other: Partial<TcpProbe> = {}): TcpProbe {
  return { ...TIMING, type: "tcp", port, ...other };
}

export function address(text: string): Address {
  const parsed = parseAddress(text);
  if (parsed === undefined) throw new Error(`not an address: ${text}`);
  return parsed;
}

/** An edge with what a test says, and otherwise nothing of interest. */
export function edge(
  id: string,
  other: Partial<Omit<Edge, "addresses">> & { addresses?: string[] } = {},
): Edge {
  return {
    id,
    index: 0,
    location: { latitude: 0, longitude: 0 },
    tags: [],
    capacity: {},
    weight: 1,
    state: "active",
    probe: { type: "none" },
    load: [],
    ...other,
    addresses: (other.addresses ?? ["127.0.0.1"]).map(address),
  };
}

export function inventoryOf(
  edges: readonly Edge[],
  other: { allowed?: string[]; generation?: number } = {},
): Inventory {
  return {
    generation: other.generation ?? 1,
    file: "/etc/edgeward.yaml",
    listen: { dns: [], http: [], ops: { host: "127.0.0.1", port: 9153 } },
    ops: { tokens: [] },
    dns: {},
    acme: { accounts: [] },
    stateFile: "/var/lib/edgeward/state.json",
    trustedProxies: [],
    geoip: { city: [], asn: [] },
    places: [],
    allowedProbeNetworks: (other.allowed ?? []).map((text) => {
      const prefix = parsePrefix(text);
      if (prefix === undefined) throw new Error(`not a prefix: ${text}`);
      return prefix;
    }),
    zones: [],
    edges: edges.map((edge, index) => ({ ...edge, index })),
    services: [],
  };
}

export function rtmpProbe(port: number, other: Partial<RtmpProbe> = {}): RtmpProbe {
  return { ...TIMING, type: "rtmp", port, host: "edge.test", ...other };
}

export function webSocketProbe(url: string, other: Partial<WebSocketProbe> = {}): WebSocketProbe {
  return { ...TIMING, type: "websocket", url, host: new URL(url).host, tls: { verify: true }, ...other };
}

export function hlsProbe(url: string, other: Partial<HlsProbe> = {}): HlsProbe {
  return { ...TIMING, type: "hls", url, host: new URL(url).host, tls: { verify: true }, hosts: [], ...other };
}

export function dnsProbe(port: number, other: Partial<DnsProbe> = {}): DnsProbe {
  const asked = { name: "edge.example.net", record: "A", rcode: "NOERROR", answer: true } as const;
  return { ...TIMING, type: "dns", port, transport: "udp", ...asked, ...other };
}
