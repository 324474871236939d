import { connect } from "node:net";
import { afterAll, afterEach, beforeAll } from "vitest";
import { formatAddress, parsePrefix } from "../../src/base/address.ts";
import { type HttpDoor, type HttpDoorOptions, startHttpDoor } from "../../src/http/door.ts";
import { startLoopDoor } from "./loop-door.ts";
import type { Prefix } from "../../src/model/address.ts";
import type { Choice, Decide, Decision, Outcome, Question } from "../../src/model/decision.ts";
import type { Edge } from "../../src/model/edge.ts";
import type { Location } from "../../src/model/location.ts";
import type { Log } from "../../src/model/log.ts";
import type { Service } from "../../src/model/service.ts";
import { plainEdge, plainService } from "../inventory.ts";
import { standIn } from "../stand-in.ts";

export function edgeOf(id: string, url?: string): Edge {
  return plainEdge(id, url === undefined ? {} : { url });
}

export const AMSTERDAM = edgeOf("ams1", "http://127.0.0.11:8081");
export const SINGAPORE = edgeOf("sin1", "https://sin1.edges.example.org/vod");

export function serviceOf(rules: Partial<Service> = {}): Service {
  return plainService({ hostnames: ["live.example.net", "*.wild.example.net"], ...rules });
}

export const LIVE = serviceOf();
const NOWHERE: Location = { layer: "none" };

export function choiceOf(edge: Edge, distanceKm = Number.NaN): Choice {
  return { edge, distanceKm, priceKm: 0, loadRatio: Number.NaN, up: 1 };
}

export function decisionOf(edges: readonly Edge[], rest: Partial<Decision> = {}): Decision {
  const outcome: Outcome = { kind: "edges" };
  return {
    service: LIVE,
    outcome,
    edges: edges.map((edge) => choiceOf(edge)),
    location: NOWHERE,
    scopePrefixLength: 0,
    ttlSeconds: 20,
    nearestKm: Number.NaN,
    rejected: [],
    families: 1,
    ...rest,
  };
}

export function trusted(...texts: string[]): Prefix[] {
  return texts.map((text) => {
    const prefix = parsePrefix(text);
    if (prefix === undefined) throw new Error(`not a prefix: ${text}`);
    return prefix;
  });
}

export interface TestDoor {
  readonly door: HttpDoor;
  readonly port: number;
  /** What the engine was asked, in order. */
  readonly questions: Question[];
  readonly logged: { readonly fields: object; readonly message: string }[];
  /** The viewer of the last question: `ADDRESS/LENGTH ORIGIN`. */
  readonly lastViewer: () => string | undefined;
  /** Decides for the following requests. */
  readonly answerWith: (decide: () => Decision | undefined) => void;
}

let startDoor: (options: HttpDoorOptions) => Promise<HttpDoor> = startHttpDoor;

/** From now on the doors of tests have a loop of epoll in front. */
export function openDoorsInLoops(): void {
  startDoor = startLoopDoor;
}

/** The door of all tests of a file; after each, it sends everyone to Amsterdam again. */
export function doorForAll(options: Partial<HttpDoorOptions>): TestDoor {
  let test: TestDoor | undefined;
  beforeAll(async () => {
    test = await openDoor(options);
  });
  afterEach(() => test?.answerWith(() => decisionOf([AMSTERDAM])));
  afterAll(async () => await test?.door.stop());
  return standIn(() => test);
}

/** A door on a port of its own, which sends everyone to Amsterdam until told otherwise. */
export async function openDoor(options: Partial<HttpDoorOptions> = {}): Promise<TestDoor> {
  const questions: Question[] = [];
  const logged: { fields: object; message: string }[] = [];
  const write = (fields: object, message: string): void => void logged.push({ fields, message });
  const log: Log = { info: write, warn: write, error: write };
  let answer: () => Decision | undefined = () => decisionOf([AMSTERDAM]);
  const decide: Decide = (question) => {
    questions.push(question);
    return answer();
  };
  const door = await startDoor({
    endpoints: [{ host: "127.0.0.1", port: 0 }],
    trustedProxies: [],
    services: [LIVE],
    decide,
    steer: () => undefined,
    log,
    ...options,
  });
  return {
    door,
    port: door.endpoints[0]?.port ?? 0,
    questions,
    logged,
    lastViewer() {
      const client = questions.at(-1)?.client;
      return client && `${formatAddress(client.address)}/${client.prefixLength} ${client.from}`;
    },
    answerWith(decide) {
      answer = decide;
    },
  };
}

export interface Reply {
  readonly status: number;
  /** By lower-case name; the last of repeated ones. */
  readonly headers: { readonly [name: string]: string };
  readonly body: string;
}

/** Writes the pieces one after another and returns all that comes back until the server closes. */
export async function exchange(port: number, ...pieces: (string | Buffer)[]): Promise<string> {
  return await new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1");
    let received = "";
    socket.setEncoding("latin1");
    socket.on("data", (text: string) => {
      received += text;
    });
    socket.once("error", reject);
    socket.once("close", () => resolve(received));
    const writeNext = (): void => {
      const piece = pieces.shift();
      if (piece === undefined || !socket.writable) return;
      socket.write(typeof piece === "string" ? Buffer.from(piece, "latin1") : piece);
      setTimeout(writeNext, 10);
    };
    writeNext();
  });
}

/** One request on a connection of its own. */
export async function ask(
  port: number,
  requestLine: string,
  fields: readonly string[] = ["Host: live.example.net"],
): Promise<Reply> {
  const text = await exchange(port, [requestLine, ...fields, "Connection: close", "", ""].join("\r\n"));
  const [reply, ...rest] = repliesIn(text, requestLine.startsWith("HEAD "));
  if (reply === undefined || rest.length > 0) throw new Error(`not one reply: ${JSON.stringify(text)}`);
  return reply;
}

/** The replies on a connection, each delimited by its Content-Length. */
export function repliesIn(text: string, withoutBodies = false): Reply[] {
  const replies: Reply[] = [];
  let rest = text;
  while (rest !== "") {
    const end = rest.indexOf("\r\n\r\n");
    if (end < 0) throw new Error(`half a reply: ${JSON.stringify(rest)}`);
    const [statusLine = "", ...lines] = rest.slice(0, end).split("\r\n");
    const headers = Object.fromEntries(
      lines.map((line) => {
        const colon = line.indexOf(":");
        return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
      }),
    );
    const length = withoutBodies ? 0 : Number(headers["content-length"] ?? 0);
    const body = rest.slice(end + 4, end + 4 + length);
    replies.push({ status: Number(/^HTTP\/1\.1 (\d{3}) /.exec(statusLine)?.[1]), headers, body });
    rest = rest.slice(end + 4 + length);
  }
  return replies;
}

/** The value of a counter's sample; 0 where there is none. */
export function counted(door: HttpDoor, name: string, labels: { readonly [label: string]: string }): number {
  for (const family of door.metrics())
    if (family.name === name && family.kind !== "histogram")
      for (const sample of family.samples)
        if (Object.entries(labels).every(([label, value]) => sample.labels[label] === value))
          return sample.value;
  return 0;
}
