import type { Address } from "../model/address.ts";
import type { TcpProbe } from "../model/edge.ts";
import { attempt, type ProbeContext } from "./attempt.ts";
import type { ProbeResult } from "./result.ts";
import { openTcp } from "./socket.ts";

/** Success: the port accepts a connection. */
export function probeTcp(address: Address, probe: TcpProbe, context: ProbeContext): Promise<ProbeResult> {
  return attempt(probe.timeoutMs, context, async (attempt) => {
    await openTcp(attempt, address, probe.port);
  });
}
