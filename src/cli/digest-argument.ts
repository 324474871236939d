/** A challenge's value that could be taken for options (RFC 8555 8.4: base64url of 32 octets), as one in 64 could. */
const DASHED_DIGEST = /^-[A-Za-z0-9_-]{42}$/;

/**
 * The same command line with the value of `acme set` and `acme unset` where it is none: behind `--`. The hooks of
 * certificate clients pass it as it comes.
 */
export function withDigestLast(args: readonly string[]): readonly string[] {
  const at = args.findIndex((arg) => DASHED_DIGEST.test(arg));
  if (args[0] !== "acme" || at < 0 || args.slice(0, at).includes("--")) return args;
  return [...args.slice(0, at), ...args.slice(at + 1), "--", args[at] as string];
}
