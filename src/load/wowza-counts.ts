import { numberIn } from "./document.ts";
import { numberReading, type Reading, streamsReading, unreadable } from "./source.ts";
import { childOf, childrenOf, childText, descend, type Element, parseXml } from "./xml.ts";

/**
 * `/connectioncounts`. The root is called differently by version; names are form-encoded. Sessions of streams
 * are the viewers, since the connections also count publishers and repeaters; WebRTC is in neither.
 */
export function readConnectionCounts(body: string): Reading {
  const parsed = parseXml(body);
  if (parsed.kind === "unreadable") return parsed;
  const { root } = parsed;
  const isFlat = childrenOf(root, "Stream").length > 0;
  if (!isFlat && childOf(root, "ConnectionsCurrent") === undefined)
    return unreadable(`expected Wowza's connection counts, got other XML`);
  const streams = isFlat ? flatStreams(root) : nestedStreams(root);
  const viewers = streams.reduce((sum, { sessions }) => sum + sessions, 0);
  const octets = numberIn(childText(root, "MessagesOutBytesRate"));
  const limits = childrenOf(root, "VHost").map((host) => numberIn(childText(host, "ConnectionsLimit")) ?? 0);
  const isLimited = limits.length > 0 && limits.every((limit) => limit > 0);
  return {
    kind: "fields",
    fields: [
      numberReading("viewers", viewers, "sum of SessionsTotal", remark(root, viewers)),
      numberReading("bandwidth", octets === undefined ? undefined : octets * 8, "MessagesOutBytesRate × 8"),
      streamsReading(
        streams.map(({ name }) => name),
        "Stream of each Application",
      ),
    ],
    ...(isLimited ? { capacity: { viewers: limits.reduce((a, b) => a + b, 0) } } : {}),
  };
}

interface Stream {
  readonly name: string;
  readonly sessions: number;
}

function nestedStreams(root: Element): Stream[] {
  return descend(root, "VHost", "Application").flatMap((application) => {
    const applicationName = childText(application, "Name");
    return childrenOf(application, "ApplicationInstance").flatMap((instance) => {
      const instanceName = childText(instance, "Name");
      return childrenOf(instance, "Stream").map((stream) => ({
        name: streamName(applicationName, instanceName, childText(stream, "Name")),
        sessions: numberIn(childText(stream, "SessionsTotal")) ?? 0,
      }));
    });
  });
}

function flatStreams(root: Element): Stream[] {
  return childrenOf(root, "Stream").map(({ attributes }) => ({
    name: streamName(attributes["applicationName"], attributes["appInstanceName"], attributes["streamName"]),
    sessions: numberIn(attributes["sessionsTotal"]) ?? 0,
  }));
}

function streamName(application = "", instance = "", stream = ""): string {
  const isDefault = instance === "" || instance === "_definst_";
  return [application, ...(isDefault ? [] : [instance]), stream].map(formDecoded).join("/");
}

/** As Java's URLEncoder writes it; a name that was not encoded stays as it is. */
function formDecoded(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll("+", " "));
  } catch {
    return text;
  }
}

/** Connections far above the sessions are worth a word: publishers, or viewers by WebRTC, which are not listed. */
function remark(root: Element, sessions: number): string | undefined {
  const connections = numberIn(childText(root, "ConnectionsCurrent")) ?? 0;
  return connections > 2 * sessions + 10
    ? `${connections} connections: WebRTC viewers are not in this page, the REST interface has them`
    : undefined;
}
