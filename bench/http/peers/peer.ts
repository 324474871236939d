/** A redirector of the comparison: every path of one hostname goes to the site of the viewer. */
export interface Peer {
  readonly name: string;
  /** Starts it on the server's core, ready to answer. */
  readonly start: (circumstances: Circumstances) => Promise<RunningPeer>;
  /** What is not installed, or undefined. */
  readonly missing: () => string | undefined;
}

export interface Circumstances {
  /** PEM files of a certificate for `hostname`, and its key. */
  readonly certificate: { readonly certificate: string; readonly key: string };
  /** For its configuration and whatever it writes; its own. */
  readonly folder: string;
  readonly hostname: string;
}

export interface RunningPeer {
  /** The process that serves. */
  readonly pid: number;
  /** On 127.0.0.1. */
  readonly port: number;
  readonly httpsPort: number;
  /** Edits the configuration, and has it read again. */
  readonly reload: () => void;
  /** How often that was done, as far as it says. */
  readonly reloads: () => number;
  readonly stop: () => Promise<void>;
}
