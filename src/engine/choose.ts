import type { Client } from "../model/client.ts";
import type { Decision, Question, Trace } from "../model/decision.ts";
import type { Locate, Located, Location } from "../model/location.ts";
import { applyBias } from "../selection/bias.ts";
import { keepPlaying } from "../selection/keep.ts";
import { select } from "../selection/select.ts";
import type { Sight } from "../selection/sights.ts";
import { streamKeyFor, streamOf } from "../selection/stream.ts";
import type { Viewer } from "../selection/viewer.ts";
import type { InService } from "./in-service.ts";

/** Where the viewer is, and what is chosen for him there. Nothing is noted of it. */
export interface Chooser {
  readonly located: (question: Question) => Located;
  /**
   * @param most edges that are wanted
   * @param brings how many viewers more than usual come with the answer
   */
  readonly choose: (
    sight: Sight,
    question: Question,
    most: number,
    trace?: Trace,
    brings?: number,
  ) => Decision;
}

/** @param now what is in service, while anything is decided */
export function createChooser(locate: Locate, now: () => InService): Chooser {
  const located = (question: Question): Located => {
    const { client, location } = question;
    if (location !== undefined) return { location, prefixLength: client.prefixLength };
    const isPlaceless = question.path === undefined && now().isPlaceless(client);
    return isPlaceless ? nowhere(client) : locate(client);
  };

  const choose = (
    { service, world, isPastOthers }: Sight,
    question: Question,
    most: number,
    trace?: Trace,
    brings = 0,
  ): Decision => {
    const { field } = now();
    const stream = question.path === undefined ? undefined : streamOf(service, question.path);
    const viewer: Viewer = {
      client: question.client,
      located: located(question),
      most,
      brings,
      streamKey: streamKeyFor(service, question),
      ...(stream === undefined ? {} : { stream }),
    };
    const { playing, bias } = question;
    const selected = select(service, viewer, field, world, trace);
    const unbiased = isPastOthers ? saidOfIpv4(selected) : selected;
    const decision = bias === undefined ? unbiased : applyBias(unbiased, bias);
    return playing === undefined ? decision : keepPlaying(decision, playing, question.client, world, stream);
  };

  return { located, choose };
}

/** Where others would be served, that is not for want of an edge. */
function saidOfIpv4(decision: Decision): Decision {
  const { outcome } = decision;
  const isForWant =
    outcome.kind === "refused" && (outcome.reason === "down" || outcome.reason === "no-edges");
  return isForWant ? { ...decision, outcome: { kind: "refused", reason: "no-ipv4" } } : decision;
}

/** Nothing is known of the place, and lots are drawn by the whole address. */
function nowhere({ prefixLength }: Client): Located {
  return { location: UNKNOWN_PLACE, prefixLength };
}

const UNKNOWN_PLACE: Location = { layer: "none" };
