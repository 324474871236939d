import { MAX_NAME_LENGTH } from "../base/domain-name.ts";
import type { ServiceBinding, ServiceParam } from "../model/service.ts";
import { paramKeys } from "./record-data.ts";
import type { Report } from "./report.ts";
import { type BindingInput, readBindingPrefix } from "./schema-binding.ts";
import type { ServiceInput } from "./schema-service.ts";

/** HTTPS and SVCB records of a service from its `dns` section, of which problems are told. */
export function buildBindings({ dns, hostnames }: ServiceInput, report: Report): ServiceBinding[] {
  const bindings: ServiceBinding[] = [];
  const { https, svcb } = dns;
  if (https !== undefined) {
    const path = ["dns", "https"];
    const { hints } = https;
    const own = paramsOf(https, path, report, ALWAYS_MANDATORY_FOR_HTTPS);
    bindings.push({ type: "HTTPS", prefix: "", params: own, hints });
    // The port of such a URL is where its client connects to (RFC 9460 9.2).
    const { port: _, ...others } = https;
    const params = paramsOf(others, path, () => {}, ALWAYS_MANDATORY_FOR_HTTPS);
    https.originPorts.forEach((originPort, i) => {
      const prefix = `_${originPort}._https`;
      const at = [...path, "originPorts", i];
      if (originPort === 443)
        report(at, "443 is the port of the record at the hostname itself; leave it out");
      if (https.originPorts.indexOf(originPort) < i) report(at, "listed twice; leave one out");
      checkPrefix(prefix, hostnames, at, report);
      bindings.push({ type: "HTTPS", prefix, params, hints });
    });
  }
  for (const [key, input] of Object.entries(svcb)) {
    const path = ["dns", "svcb", key];
    const prefix = readBindingPrefix(key);
    if (prefix.kind === "refused") {
      report(path, `the key ${prefix.message}`);
      continue;
    }
    checkPrefix(prefix.value, hostnames, path, report);
    const { hints } = input;
    bindings.push({ type: "SVCB", prefix: prefix.value, params: paramsOf(input, path, report), hints });
  }
  return bindings;
}

/** Names that bindings take in front of a service's exact hostnames. */
export function boundNames(hostnames: readonly string[], bindings: readonly ServiceBinding[]): string[] {
  return exact(hostnames).flatMap((hostname) =>
    bindings.flatMap(({ prefix }) => (prefix === "" ? [] : [`${prefix}.${hostname}`])),
  );
}

function exact(hostnames: readonly string[]): string[] {
  return hostnames.filter((hostname) => !hostname.startsWith("*."));
}

function checkPrefix(
  prefix: string,
  hostnames: readonly string[],
  path: (string | number)[],
  report: Report,
): void {
  const names = exact(hostnames);
  if (names.length === 0) {
    const why = "is in front of exact hostnames only, and the service has none";
    report(path, `${prefix} ${why}; name one beside the wildcard`);
  }
  const long = names.find((hostname) => prefix.length + 1 + hostname.length > MAX_NAME_LENGTH);
  if (long !== undefined)
    report(
      path,
      `${prefix} in front of ${long} is longer than a name may be (${MAX_NAME_LENGTH}); choose a shorter hostname`,
    );
}

/** RFC 9460 9; those should not be listed (8). */
const ALWAYS_MANDATORY_FOR_HTTPS: ReadonlySet<string> = new Set(["port", "no-default-alpn"]);

function paramsOf(
  input: BindingInput,
  path: string[],
  report: Report,
  alwaysMandatory: ReadonlySet<string> = new Set(),
): ServiceParam[] {
  const values: [number, Uint8Array | undefined][] = [
    [paramKeys.alpn, input.alpn.length === 0 ? undefined : alpnOctets(input.alpn)],
    [paramKeys["no-default-alpn"], input.noDefaultAlpn ? new Uint8Array() : undefined],
    [paramKeys.port, input.port === undefined ? undefined : uint16Octets(input.port)],
    [paramKeys.ech, input.ech],
  ];
  const params = values.flatMap(([key, value]) => (value === undefined ? [] : [{ key, value }]));
  if (params.reduce((sum, { value }) => sum + value.length, 0) > MAX_PARAMS_OCTETS)
    report(path, `is too long; it may have ${MAX_PARAMS_OCTETS} octets, and addresses beside them`);
  if (input.noDefaultAlpn && input.alpn.length === 0)
    report([...path, "noDefaultAlpn"], "needs alpn beside it (RFC 9460 7.1.1); give alpn");
  input.mandatory.forEach((name, i) => {
    if (!params.some(({ key }) => key === paramKeys[name]))
      report(
        [...path, "mandatory", i],
        `${name} is not given, so it cannot be mandatory (RFC 9460 8); give it`,
      );
  });
  const listed = input.mandatory.filter((name) => !alwaysMandatory.has(name));
  return listed.length === 0 ? params : [mandatoryParam(listed), ...params];
}

/** So that the record fits a message with all that may be in it. */
const MAX_PARAMS_OCTETS = 32_768;

/** Keys ascend, each once (RFC 9460 8). */
function mandatoryParam(names: BindingInput["mandatory"]): ServiceParam {
  const keys = [...new Set(names.map((name) => paramKeys[name]))].sort((a, b) => a - b);
  return { key: paramKeys.mandatory, value: Uint8Array.from(keys.flatMap((key) => [...uint16Octets(key)])) };
}

function alpnOctets(ids: readonly string[]): Uint8Array {
  return Uint8Array.from(ids.flatMap((id) => [id.length, ...Buffer.from(id, "latin1")]));
}

function uint16Octets(value: number): Uint8Array {
  return Uint8Array.of(value >> 8, value & 0xff);
}
