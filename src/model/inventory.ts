import type { Address, Prefix } from "./address.ts";
import type { AcmeAccount } from "./acme.ts";
import type { DnsSettings } from "./dns-settings.ts";
import type { Edge } from "./edge.ts";
import type { MistBalancer } from "./mistserver.ts";
import type { Continent } from "./location.ts";
import type { Service } from "./service.ts";
import type { Zone } from "./zone.ts";

/** The whole configuration, checked and normalised. Plain data: it can be cloned into another thread. */
export interface Inventory {
  /** Grows by one with each configuration that is taken. */
  readonly generation: number;
  /** Absolute path of the main file. */
  readonly file: string;
  readonly listen: {
    readonly dns: readonly Endpoint[];
    readonly http: readonly Endpoint[];
    readonly https?: Https;
    readonly ops: Endpoint;
    /** In place of MistServer's balancer. */
    readonly mistserver?: readonly Endpoint[];
  };
  /** Present where `listen.mistserver` is. */
  readonly mistserver?: MistBalancer;
  readonly ops: { readonly tokens: readonly Token[] };
  readonly dns: DnsSettings;
  readonly acme: { readonly accounts: readonly AcmeAccount[] };
  /** Where drains set through the API are kept over a restart; absolute. */
  readonly stateFile: string;
  readonly trustedProxies: readonly Prefix[];
  /** Balancers of TCP connections, each of which begins with a PROXY header; absent: none. */
  readonly proxyProtocol?: { readonly from: readonly Prefix[] };
  /** Viewers from here are told loads, prices and reasons in JSON answers. */
  readonly detailsFor?: readonly Prefix[];
  readonly geoip: GeoipFiles;
  readonly places: readonly Place[];
  /** Networks that probes and load pulls may reach though they are refused by default (link-local and so on). */
  readonly allowedProbeNetworks: readonly Prefix[];
  /** What is asked to tell whether our own network works; absent: nothing is. */
  readonly canary?: Canary;
  readonly zones: readonly Zone[];
  readonly edges: readonly Edge[];
  readonly services: readonly Service[];
}

/** Machines that are none of the edges: while one accepts or refuses a connection, our network reaches out. */
export interface Canary {
  readonly addresses: readonly Address[];
  readonly port: number;
  readonly intervalMs: number;
  readonly timeoutMs: number;
}

/** The viewers' door with TLS. */
export interface Https {
  readonly addresses: readonly Endpoint[];
  /** Never empty; the first is for viewers who ask for a name that none has. */
  readonly certificates: readonly CertificateFiles[];
}

/** Absolute paths of PEM files. */
export interface CertificateFiles {
  /** The certificate, followed by those that it was issued by. */
  readonly certificate: string;
  readonly key: string;
}

/** An address and a port to listen on. */
export interface Endpoint {
  /** Textual IP address, without brackets. */
  readonly host: string;
  /** 0..65535; 0 lets the system choose. */
  readonly port: number;
}

export interface Token {
  readonly name: string;
  readonly role: "viewer" | "reporter" | "operator";
  /** The only edge a reporter may speak for. */
  readonly edge?: string;
  /** SHA-256 of the token, lower-case hexadecimal. */
  readonly sha256: string;
}

/** Absolute paths; no city file at all means the packaged DB-IP City Lite. */
export interface GeoipFiles {
  readonly city: readonly string[];
  readonly asn: readonly string[];
}

/** The operator's word on where a network is. */
export interface Place {
  readonly prefix: Prefix;
  readonly latitude: number;
  readonly longitude: number;
  readonly country?: string;
  readonly continent?: Continent;
}
