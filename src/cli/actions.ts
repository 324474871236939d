import type { Answer } from "./answer.ts";
import type { CheckView, GeoView, ImportView, LoadView, ProbeView } from "./views.ts";

/** What the commands need from the rest of the program; the root file implements it. */
export interface CliActions {
  /** As in package.json. */
  readonly version: string;
  /** What `-c` is when it is left out. */
  readonly defaultConfigFile: string;
  /** Runs until it is told to stop; done when it has stopped in order. A port that is taken is `no`. */
  serve(options: ServeOptions): Promise<Answer<void>>;
  /** Reads and judges a configuration; a file that cannot be read is a problem as well. */
  check(configFile: string): Promise<CheckView>;
  /** `ip` is a valid address. */
  geo(configFile: string, ip: string): Promise<Answer<GeoView>>;
  load(configFile: string, edgeId: string): Promise<Answer<LoadView>>;
  probe(configFile: string, edgeId: string): Promise<Answer<ProbeView>>;
  /** A playlist or MPD with the tags of content steering in it. */
  steer(configFile: string, file: string, options: SteerOptions): Promise<Answer<string>>;
  /** Reports an edge's load until it is told to stop, or once. */
  agent(options: AgentOptions): Promise<Answer<void>>;
  /** What `import` reads. */
  readonly importFormats: readonly string[];
  /** Another program's configuration as ours. */
  import(options: ImportOptions): Promise<Answer<ImportView>>;
  /** The configuration's JSON Schema, as text or as an object. */
  schema(): Promise<unknown>;
  /**
   * URL of the operators' door that the configuration names (`serverUrl` of client.ts makes it from an
   * endpoint). Only `listen.ops` matters: a file with problems elsewhere still says where the running
   * service is. `undefined` where the file leaves it out: then http://127.0.0.1:9153. A file that is named and
   * cannot be read, or that does not say it in a way that can be understood, is a problem, for another service may
   * be found at that address.
   */
  defaultServer(configFile: string): Promise<Answer<string | undefined>>;
}

export interface ServeOptions {
  readonly configFile: string;
  /** Also start the demo edges. */
  readonly demo: boolean;
}

export interface SteerOptions {
  /** Id of the service. */
  readonly service: string;
  /** Where the file lies, as players ask for it. */
  readonly path?: string;
  /** Origin of the viewers' door, as players reach it. */
  readonly server?: string;
  /** Whether an MPD that changes is to be asked for at the viewers' door again and again. */
  readonly hasLocation: boolean;
}

/** Either `file`, or `source` and `url`. */
export interface AgentOptions {
  readonly edge?: string;
  /** Origin of the operators' door. */
  readonly server?: string;
  /** YAML with `load`, and what else it likes to say. */
  readonly file?: string;
  /** A `load.type`. */
  readonly source?: string;
  readonly url?: string;
  readonly tokenFile?: string;
  /** From the environment. */
  readonly token?: string;
  readonly caFile?: string;
  /** Read and report once, then end. */
  readonly once: boolean;
}

export interface ImportOptions {
  /** One of `importFormats`. */
  readonly format: string;
  /** At least one. */
  readonly files: readonly string[];
  /** For a service whose hostname the other program does not know. */
  readonly hostname: string;
}
