import { randomBytes } from "node:crypto";
import type { Socket } from "node:net";
import type { Address } from "../model/address.ts";
import type { RtmpProbe } from "../model/edge.ts";
import { type Attempt, attempt, type ProbeContext } from "./attempt.ts";
import { type Octets, octetsOf } from "./octets.ts";
import { ProbeError, type ProbeResult } from "./result.ts";
import { connectCommand, readCommand } from "./rtmp-command.ts";
import { nameIn, openTcp, openTls } from "./socket.ts";

const VERSION = 3;
const PACKET_OCTETS = 1536;
/** Time and zero, before the random octets. */
const PACKET_HEAD_OCTETS = 8;
const MESSAGES_LIMIT = 32;

/**
 * Success: the edge completes the RTMP handshake (Adobe's RTMP 1.0, 5.2) and, where an application is named,
 * accepts `connect` to it (7.2.1.1). Over TLS that is rtmps.
 */
export function probeRtmp(address: Address, probe: RtmpProbe, context: ProbeContext): Promise<ProbeResult> {
  return attempt(probe.timeoutMs, context, async (attempt) => {
    const socket = await open(attempt, address, probe, context);
    const octets = octetsOf(socket);
    await attempt.step("handshake", () => shakeHands(socket, octets));
    const { application } = probe;
    if (application === undefined) return;
    const url = `${probe.tls === undefined ? "rtmp" : "rtmps"}://${probe.host}/${application}`;
    await attempt.step("application", () => connectTo(socket, octets, application, url));
  });
}

async function open(
  attempt: Attempt,
  address: Address,
  probe: RtmpProbe,
  context: ProbeContext,
): Promise<Socket> {
  const socket = await openTcp(attempt, address, probe.port);
  if (probe.tls === undefined) return socket;
  return openTls(attempt, socket, { name: nameIn(probe.host), verify: probe.tls.verify }, context);
}

/**
 * C0 and C1 go out in one write, since many servers say nothing before they have both. What S1 and S2 hold
 * is not looked at: servers differ, and players do not look either.
 */
async function shakeHands(socket: Socket, octets: Octets): Promise<void> {
  socket.write(Buffer.concat([Buffer.of(VERSION), Buffer.alloc(PACKET_HEAD_OCTETS), randomPart()]));
  const [version] = await octets.take(1);
  if (version !== VERSION) throw new ProbeError("protocol", "not-rtmp");
  const s1 = await octets.take(PACKET_OCTETS);
  await octets.take(PACKET_OCTETS);
  const own = Buffer.alloc(4);
  socket.write(Buffer.concat([s1.subarray(0, 4), own, s1.subarray(PACKET_HEAD_OCTETS)]));
}

function randomPart(): Buffer {
  return randomBytes(PACKET_OCTETS - PACKET_HEAD_OCTETS);
}

async function connectTo(socket: Socket, octets: Octets, application: string, url: string): Promise<void> {
  socket.write(connectCommand(application, url));
  const reply = await readCommand(octets, MESSAGES_LIMIT);
  if (reply === "_error") throw new ProbeError("application");
  if (reply !== "_result") throw new ProbeError("protocol", "not-rtmp");
}
