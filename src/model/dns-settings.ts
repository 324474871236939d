/** How the DNS door treats its clients, and what it tells of itself. */
export interface DnsSettings {
  /** Which server this is: `id.server` and `hostname.bind` (RFC 4892), NSID (RFC 5001). 1 to 63 printable ASCII octets. */
  readonly identity?: string;
  /** What it runs: `version.bind` and `version.server`. 1 to 63 printable ASCII octets. */
  readonly version?: string;
}
