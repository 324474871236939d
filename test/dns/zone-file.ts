import { formatAddress } from "../../src/base/address.ts";
import type { RecordData, Zone } from "../../src/model/zone.ts";

/** The zone as other servers read it (RFC 1035 5.1), with the SOA that we make of it. */
export function zoneFile(zone: Zone): string {
  const { name, nameservers, contact, ttlSeconds, negativeTtlSeconds, serial, records } = zone;
  const [user = "", domain = ""] = contact.split("@");
  const mailbox = `${user.replaceAll(".", "\\.")}.${domain}.`;
  return [
    `${name}. ${ttlSeconds} IN SOA ${nameservers[0]}. ${mailbox} ${serial} 14400 3600 1209600 ${negativeTtlSeconds}`,
    ...nameservers.map((server) => `${name}. ${ttlSeconds} IN NS ${server}.`),
    ...records.map(
      (record) => `${record.name}. ${record.ttlSeconds} IN ${record.data.type} ${presentation(record.data)}`,
    ),
    "",
  ].join("\n");
}

function presentation(data: RecordData): string {
  switch (data.type) {
    case "A":
    case "AAAA":
      return formatAddress(data.address);
    case "CNAME":
    case "NS":
      return `${data.target}.`;
    case "MX":
      return `${data.preference} ${data.exchange}.`;
    case "SRV":
      return `${data.priority} ${data.weight} ${data.port} ${data.target}.`;
    case "CAA":
      return `${data.flags} ${data.tag} ${quoted(Buffer.from(data.value, "latin1"))}`;
    case "TXT":
      return data.strings.map(quoted).join(" ");
    case "SVCB":
    case "HTTPS":
      return [data.priority, `${data.target}.`, ...data.params.map(paramText)].join(" ");
  }
}

/** Every key in its generic form (RFC 9460 2.1). */
function paramText({ key, value }: { readonly key: number; readonly value: Uint8Array }): string {
  return `key${key}=${quoted(value)}`;
}

function quoted(octets: Uint8Array): string {
  const inner = [...octets].map((octet) =>
    octet > 0x20 && octet < 0x7f && octet !== 0x22 && octet !== 0x5c && octet !== 0x3b
      ? String.fromCharCode(octet)
      : `\\${String(octet).padStart(3, "0")}`,
  );
  return `"${inner.join("")}"`;
}
