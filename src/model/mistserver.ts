/** What MistServer tells beside its load, and what others ask its balancer for. */
export interface MistServerDetails {
  /** By connector, as `HLS`: a URL in which `HOST` stands for the host and `$` for the stream. */
  readonly outputs: { readonly [connector: string]: string };
  readonly streams: readonly MistStream[];
  readonly tags: readonly string[];
}

export interface MistStream {
  readonly name: string;
  readonly viewers: number;
  readonly inputs: number;
  /** Octets out and in since it started. */
  readonly octetsOut: number;
  readonly octetsIn: number;
  /** Its input is another server of the kind. */
  readonly isReplica: boolean;
}

/** How we answer in place of MistServer's balancer. */
export interface MistBalancer {
  /** Index into `Inventory.services`: whose edges and rules count. */
  readonly service: number;
  /** Said when there is nowhere to send anyone. */
  readonly fallback: string;
  /** Where a server does not tell its own; as `MistServerDetails.outputs`. */
  readonly outputs: { readonly [connector: string]: string };
}
