import { decode, RCODES, type Reply } from "./answers.ts";
import type { Transport } from "../../src/dns/counters.ts";

/**
 * Every rule that holds for whatever comes in, whatever is answered.
 * @param octets the reply; undefined: there was none
 * @returns the reply as others read it
 * @throws the rule that is broken
 */
export function checkReply(
  packet: Uint8Array,
  transport: Transport,
  octets: Buffer | undefined,
): Reply | undefined {
  const isQuery = packet.length >= 12 && ((packet[2] ?? 0) & 0x80) === 0;
  if ((octets !== undefined) !== isQuery) throw new Error(isQuery ? "no reply" : "a reply to no query");
  if (octets === undefined) return undefined;
  const answer = decode(octets);
  const most = transport === "tcp" ? 65_535 : answer.opt === undefined ? 512 : 1232;
  if (octets.length > most) throw new Error(`${octets.length} octets where ${most} are allowed`);
  if (answer.id !== ((packet[0] ?? 0) << 8) + (packet[1] ?? 0)) throw new Error("another ID");
  if (answer.ra || answer.z || answer.ad) throw new Error("RA, Z or AD is set");
  checkSections(answer, transport);
  if (answer.counts[0] !== 0 && !answer.question.equals(packet.subarray(12, 12 + answer.question.length)))
    throw new Error("another question");
  return answer;
}

function checkSections({ counts, packet, rcode, aa, tc }: Reply, transport: Transport): void {
  const [, answers = 0, authorities = 0] = counts;
  if (tc && (transport === "tcp" || answers !== 0)) {
    if (packet.answers?.some(({ type }) => type !== "CNAME") ?? false) throw new Error("half an answer");
  }
  if (!BARE.has(rcode)) return;
  if (answers + authorities > 0) throw new Error(`records beside RCODE ${rcode}`);
  if (aa) throw new Error(`AA beside RCODE ${rcode}`);
}

/** What says nothing of any name. */
const BARE: ReadonlySet<number> = new Set([
  RCODES.FORMERR,
  RCODES.NOTIMP,
  RCODES.REFUSED,
  RCODES.NOTAUTH,
  RCODES.BADVERS,
]);
