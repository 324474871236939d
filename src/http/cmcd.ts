import type { Client } from "../model/client.ts";
import type { Service } from "../model/service.ts";
import { type Answer, problem } from "./answer.ts";
import type { HeaderFields } from "./client-address.ts";

/** Is told what players report (CTA-5004-B, event mode): the body as sent, one character per octet. Must not throw. */
export type HearPlayers = (service: Service, client: Client, body: string) => void;

/** A body that an answer waits for. */
export interface Reads {
  /** Octets; a longer one is refused with 413. */
  readonly most: number;
  readonly take: (body: string) => Answer;
}

/** A hundred events. */
const MOST_OCTETS = 32 * 1024;

export const HEARD: Answer = {
  status: 204,
  headers: { "Access-Control-Allow-Origin": "*", "Cache-Control": "no-store" },
  body: "",
};

/** Whether a body of CMCD events is what was sent, or why it is refused. */
export function cmcdRefusal(method: string, headers: HeaderFields, json: boolean): Answer | undefined {
  if (method !== "POST")
    return problem(405, "CMCD events are sent with POST", json, { Allow: "POST, OPTIONS" });
  const [type = ""] = String(headers["content-type"] ?? "").split(";");
  return type.trim().toLowerCase() === "application/cmcd"
    ? undefined
    : problem(415, "CMCD events come as application/cmcd", json, { Accept: "application/cmcd" });
}

export function readsCmcd(hear: (body: string) => void): Reads {
  return {
    most: MOST_OCTETS,
    take(body) {
      hear(body);
      return HEARD;
    },
  };
}
