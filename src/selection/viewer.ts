import type { Client } from "../model/client.ts";
import type { Located } from "../model/location.ts";

/** Who asks, and what is known of him. */
export interface Viewer {
  readonly client: Client;
  readonly located: Located;
  /** The stream's name, where a path names one. */
  readonly stream?: string;
  /** Of the name by which affinity keeps a stream together. */
  readonly streamKey?: number | undefined;
  /** How many edges are wanted; left out: all. */
  readonly most?: number;
  /** How many more viewers than usual follow the decision: they need room too. */
  readonly brings?: number;
}
