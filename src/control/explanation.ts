import { createServiceTable } from "../base/service-table.ts";
import type { Redirector } from "../engine/redirector.ts";
import type { Trace } from "../model/decision.ts";
import type { Inventory } from "../model/inventory.ts";
import type { ExplainQuestion, ExplainVerdict } from "../ops/api.ts";
import { explainView, type Rejected } from "./views.ts";

/** Which edges the viewer would get at that door now, and why none of the others. */
export function explanationOf(
  { hostname, client, path, at }: ExplainQuestion,
  redirector: Pick<Redirector, "explain">,
  inventory: Inventory,
): ExplainVerdict {
  const rejected: Rejected[] = [];
  // A request always has a path and comes over a family, and a query never.
  const needsIpv4 = client.address.family === 4;
  const question = { hostname, client, ...(at === "http" ? { path: path ?? "/", needsIpv4 } : {}) };
  const reject: Trace["reject"] = (edge, reason, distanceKm) =>
    void rejected.push({ edge, reason, distanceKm });
  const decision = redirector.explain(question, { reject }, at);
  if (decision === undefined) return unservedAt(hostname, inventory);
  return { kind: "explained", view: explainView(decision, client, rejected) };
}

/** Why no service answers there: without a path, some service has the hostname. */
function unservedAt(hostname: string, { services }: Inventory): ExplainVerdict {
  const some = createServiceTable(services)(hostname);
  if (some === undefined) return { kind: "unknown-hostname" };
  const its = services.filter(({ hostnames }) => hostnames.some((name) => some.hostnames.includes(name)));
  return { kind: "unknown-path", paths: its.flatMap(({ paths = [] }) => paths) };
}
