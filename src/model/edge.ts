import type { Address } from "./address.ts";
import type { ViewerRule } from "./viewer-rule.ts";

/** One serving host, as configured. */
export interface Edge {
  readonly id: string;
  /** Position in `Inventory.edges`, and in every array of a `World`. */
  readonly index: number;
  readonly location: { readonly latitude: number; readonly longitude: number };
  /** What DNS answers, in the file's order. */
  readonly addresses: readonly Address[];
  /** What HTTP redirects to: origin and optional path prefix, without a trailing slash. */
  readonly url?: string;
  /**
   * Other addresses by a word of the operator's choice, as `wss`; told to who asks for JSON. Without a slash at the
   * end.
   */
  readonly urls?: { readonly [word: string]: string };
  readonly tags: readonly string[];
  readonly capacity: Capacity;
  /** Share of viewers among equals; 0..1,000,000, default 1. */
  readonly weight: number;
  /** Over how long it takes up load again when it comes back, milliseconds; left out: a minute. */
  readonly rampUpMs?: number;
  /** Viewers for whom it comes before all others while it has room. */
  readonly preferredFor?: ViewerRule;
  /** From the file; the operators' door may override it. */
  readonly state: AdminState;
  readonly probe: Probe;
  /** Merged field by field; the first that knows a field wins. */
  readonly load: readonly LoadSource[];
}

/** active: serve; drain: keep what it has, take no one new; off: out of service. */
export type AdminState = "active" | "drain" | "off";

/** What an edge can carry; missing viewers or bandwidth are unlimited. */
export interface Capacity {
  readonly viewers?: number;
  /** Bits per second out. */
  readonly bandwidth?: number;
  /** Share of its processors at which it is full, 0.01..1. */
  readonly cpu?: number;
  /** Share of its memory at which it is full, 0.01..1. */
  readonly memory?: number;
}

export type Probe = NoProbe | TcpProbe | HttpProbe | RtmpProbe | WebSocketProbe | HlsProbe | DnsProbe;

export interface ProbeTiming {
  readonly intervalMs: number;
  readonly timeoutMs: number;
  /** Successes in a row that bring an address up, 1..10. */
  readonly rise: number;
  /** Failures in a row that bring an address down, 1..10. */
  readonly fall: number;
}

export interface NoProbe {
  readonly type: "none";
}

export interface TcpProbe extends ProbeTiming {
  readonly type: "tcp";
  readonly port: number;
}

/** What an HTTP request of a probe is made of. */
export interface HttpTarget {
  /** Scheme, port, path and query asked; the edge's own addresses are connected to, whatever its host says. */
  readonly url: string;
  /** The Host header and, for https, the SNI and the name the certificate must carry. */
  readonly host: string;
  readonly tls: TlsCheck;
}

export interface TlsCheck {
  /** Whether the certificate must be valid. */
  readonly verify: boolean;
}

export interface HttpProbe extends ProbeTiming, HttpTarget {
  readonly type: "http";
  /** Status codes that count as success. */
  readonly status: readonly number[];
  /** Text that the first 64 KiB of the body must contain. */
  readonly body?: string;
  /** By lower-case name: what the header must be, in any case; `*` stands for any text. */
  readonly headers?: { readonly [name: string]: string };
}

export interface RtmpProbe extends ProbeTiming {
  readonly type: "rtmp";
  readonly port: number;
  /** Of `tcUrl` and, for rtmps, the SNI and the name the certificate must carry. */
  readonly host: string;
  /** Present: rtmps. */
  readonly tls?: TlsCheck;
  /** Present: `connect` to it must succeed after the handshake. */
  readonly application?: string;
}

export interface WebSocketProbe extends ProbeTiming, HttpTarget {
  /** `url` is ws: or wss:. */
  readonly type: "websocket";
  /** Subprotocol that is asked for, and that the server must choose. */
  readonly protocol?: string;
  /** The Origin header. */
  readonly origin?: string;
}

export interface HlsProbe extends ProbeTiming, HttpTarget {
  /** `url` is that of a master or a media playlist. */
  readonly type: "hls";
  /** Hosts, with a port unless it is the scheme's own, that absolute URIs in playlists may name. */
  readonly hosts: readonly string[];
}

export interface DnsProbe extends ProbeTiming {
  readonly type: "dns";
  readonly port: number;
  readonly transport: "udp" | "tcp";
  readonly name: string;
  readonly record: DnsRecordType;
  readonly rcode: DnsResponseCode;
  /** Whether a record of the asked type must be in the answer section. */
  readonly answer: boolean;
}

export type DnsRecordType =
  | "A"
  | "AAAA"
  | "CAA"
  | "CNAME"
  | "HTTPS"
  | "MX"
  | "NS"
  | "SOA"
  | "SRV"
  | "SVCB"
  | "TXT";

export type DnsResponseCode = "NOERROR" | "FORMERR" | "SERVFAIL" | "NXDOMAIN" | "NOTIMP" | "REFUSED";

/** How the load of an edge becomes known: the edge reports it, or we read what its server says. */
export type LoadSource =
  | PushLoad
  | JsonLoad
  | MistServerLoad
  | NimbleLoad
  | WowzaLoad
  | AntMediaLoad
  | OvenMediaEngineLoad
  | NodeExporterLoad
  | AstatsLoad
  | StatusLoad<"flashphoner">
  | StatusLoad<"nginx-rtmp">
  | StatusLoad<"nginx-stub-status">
  | StatusLoad<"nginx-vts">
  | StatusLoad<"srs">
  | StatusLoad<"varnish">
  | StatusLoad<"haproxy">
  | StatusLoad<"apache">;

export interface PushLoad {
  readonly type: "push";
  /** A report older than this is unknown again. */
  readonly staleAfterMs: number;
}

/** What every source has that we read. */
export interface ReadLoad {
  readonly staleAfterMs: number;
  /** The page itself, or what the server's own paths are put behind. */
  readonly url: string;
  readonly intervalMs: number;
  readonly timeoutMs: number;
}

/** For HTTP authentication. */
export interface Credentials {
  readonly username?: string;
  readonly password?: string;
}

/** A server that needs nothing but its address and, where its operator wants them, credentials. */
export interface StatusLoad<T extends string> extends ReadLoad, Credentials {
  readonly type: T;
}

/** Any JSON document, with a path for each field of the report. */
export interface JsonLoad extends StatusLoad<"json"> {
  readonly fields: { readonly [field in LoadField]?: JsonField };
}

export interface MistServerLoad extends ReadLoad {
  readonly type: "mistserver";
  /** The secret part of the path. */
  readonly passphrase: string;
}

export interface NimbleLoad extends ReadLoad {
  readonly type: "nimble";
  /** Absent where the server asks for none. */
  readonly token?: string;
}

export interface WowzaLoad extends StatusLoad<"wowza"> {
  /** Of the REST interface; absent means the whole virtual host. */
  readonly application?: string;
}

export interface AntMediaLoad extends StatusLoad<"ant-media"> {
  /** The server's JSON web token; or log in with username and password. */
  readonly token?: string;
  /** Whose streams are listed. */
  readonly application?: string;
}

export interface OvenMediaEngineLoad extends ReadLoad {
  readonly type: "ovenmediaengine";
  readonly token?: string;
  /** Whose streams are listed: `APPLICATION`, or `VHOST/APPLICATION`. */
  readonly application?: string;
}

export interface NodeExporterLoad extends StatusLoad<"node-exporter"> {
  /** Absent means every interface that is not virtual. */
  readonly interface?: string;
}

export interface AstatsLoad extends StatusLoad<"astats"> {
  readonly interface?: string;
  /** Which figures the server is asked for: parts of their names, with `;` between them. */
  readonly application?: string;
}

export type LoadField = "viewers" | "bandwidth" | "cpu" | "memory" | "streams";

/** Where a field stands in a JSON document, and the factor to the report's unit (default 1). */
export interface JsonField {
  /** Keys and array indices, from the root. `"*"` takes every member: numbers are added, names listed. */
  readonly path: readonly (string | number)[];
  readonly factor: number;
  /** It counts since the server's start: its rate per second is the value. */
  readonly counter?: true;
}
