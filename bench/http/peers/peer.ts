/** A redirector of the comparison: every path of one hostname goes to the site of the viewer. */
export interface Peer {
  readonly name: string;
  /** Starts it on the server's core, ready to answer. */
  readonly start: (circumstances: Circumstances) => Promise<RunningPeer>;
  /** What is not installed, or undefined. */
  readonly missing: () => string | undefined;
}

export interface Circumstances {
  /** For its configuration and whatever it writes; its own. */
  readonly folder: string;
  readonly hostname: string;
}

export interface RunningPeer {
  /** The process that serves. */
  readonly pid: number;
  /** On 127.0.0.1. */
  readonly port: number;
  readonly stop: () => Promise<void>;
}
