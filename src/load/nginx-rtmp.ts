import type { StatusLoad } from "../model/edge.ts";
import { numberIn } from "./document.ts";
import { numberReading, type SourceType, streamsReading, unreadable } from "./source.ts";
import { childOf, childrenOf, childText, descend, type Element, parseXml } from "./xml.ts";

/** Which worker answered. */
interface Worker {
  readonly pid: string | undefined;
  readonly severalSeen: boolean;
}

/**
 * The `/stat` of nginx-rtmp-module, or of nginx-http-flv-module. It knows RTMP only, so HLS and DASH players are in
 * none of its figures; and with several workers it speaks for the one that happens to answer.
 */
export const nginxRtmpSource: SourceType<StatusLoad<"nginx-rtmp">, Worker> = {
  requests: ({ url }) => [{ url }],
  read(_, [reply], before) {
    const parsed = parseXml(reply?.body ?? "");
    if (parsed.kind === "unreadable") return parsed;
    const { root } = parsed;
    if (!ROOTS.has(root.name)) return unreadable("expected the XML of rtmp_stat, got other XML");
    const memory = workerIn(root, before);
    const remark = memory.severalSeen ? ONE_OF_SEVERAL : undefined;
    const live = descend(root, "server", "application").flatMap((application) => {
      const name = childText(application, "name") ?? "";
      return descend(application, "live", "stream").map((stream) => ({ application: name, stream }));
    });
    const played = descend(root, "server", "application", "play", "stream");
    const viewers = [...live.map(({ stream }) => viewersOf(stream)), ...played.map(clientsOf)];
    return {
      kind: "fields",
      fields: [
        numberReading(
          "viewers",
          viewers.reduce((a, b) => a + b, 0),
          "sum of nclients, without publishers and relays",
          remark,
        ),
        numberReading("bandwidth", numberIn(childText(root, "bw_out")), "bw_out", remark),
        streamsReading(
          live.filter(({ stream }) => isLive(stream)).map(nameOf),
          "streams with publishing and active",
          remark,
        ),
      ],
      memory,
      again: before === undefined,
    };
  },
};

/** nginx-http-flv-module has all of it under a name of its own. */
const ROOTS: ReadonlySet<string> = new Set(["rtmp", "http-flv"]);

const ONE_OF_SEVERAL = "one worker of several answers for itself alone: set worker_processes 1";

/** A process that changes while its uptime goes on is another worker, not a restart. */
function workerIn(root: Element, before: Worker | undefined): Worker {
  const pid = childText(root, "pid");
  const isOther = before !== undefined && before.pid !== pid;
  const uptime = numberIn(childText(root, "uptime")) ?? 0;
  return { pid, severalSeen: before?.severalSeen === true || (isOther && uptime > RESTART_SECONDS) };
}

/** A process that is younger may have replaced the one before. */
const RESTART_SECONDS = 120;

function viewersOf(stream: Element): number {
  const publishers = childOf(stream, "publishing") === undefined ? 0 : 1;
  const relays = childrenOf(stream, "client").filter(isRelay).length;
  return Math.max(0, clientsOf(stream) - publishers - relays);
}

function clientsOf(stream: Element): number {
  return numberIn(childText(stream, "nclients")) ?? 0;
}

/** Another nginx that pulls the stream, by what it calls itself unless told otherwise. */
function isRelay(client: Element): boolean {
  return childOf(client, "publishing") === undefined && childText(client, "flashver") === "LNX.11,1,102,55";
}

/** `publishing` stays when the source of a relayed stream dies; `active` goes. */
function isLive(stream: Element): boolean {
  return childOf(stream, "publishing") !== undefined && childOf(stream, "active") !== undefined;
}

function nameOf({ application, stream }: { application: string; stream: Element }): string {
  return `${application}/${childText(stream, "name") ?? ""}`;
}
