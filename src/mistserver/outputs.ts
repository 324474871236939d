/** The address of a stream at a host by a connector's template; undefined without such a connector. */
export function outputUrl(
  host: string | undefined,
  outputs: { readonly [connector: string]: string },
  proto: string,
  stream: string,
): string | undefined {
  const template = Object.hasOwn(outputs, proto)
    ? outputs[proto]
    : Object.entries(outputs).find(([name]) => name.toLowerCase() === proto.toLowerCase())?.[1];
  if (template === undefined || host === undefined || !USABLE.test(template)) return undefined;
  // The stream may go behind the host only, and can then not change it.
  const [, start = "", behind = ""] = /^([a-z][a-z\d+.-]*:\/\/[^/?#]*)(.*)$/is.exec(template) ?? [];
  return start.replace("HOST", () => host) + behind.replaceAll("$", () => encoded(stream));
}

/** A scheme and a host, and nothing that a header could not carry. */
const USABLE = /^[a-z][a-z\d+.-]*:\/\/[^/?#$]+[\x21-\x7e]*$/i;

/** As MistServer's own links have it: `live+cam1` stays readable. */
function encoded(stream: string): string {
  return encodeURIComponent(stream).replaceAll("%2B", "+").replaceAll("%2F", "/");
}
