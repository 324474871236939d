import { z } from "zod";
import { integer, leaf } from "./leaf.ts";
import { read } from "./reading.ts";

const STATUSES = [308, 307, 301, 302] as const;

export const httpsRedirectSchema = z.strictObject({
  status: status()
    .describe(
      "301 and 302 for players that do not know 308 and 307; those still go to other methods than GET.",
    )
    .prefault(308),
  port: integer({ min: 1, max: 65_535 }).describe("Where viewers reach the door with TLS.").prefault(443),
});

function status() {
  const words = {
    noun: "the status of such a redirect",
    hint: "write 308 or 301 for good, 307 or 302 for now",
    json: { type: "integer", enum: STATUSES },
  };
  return leaf(words, (value) => {
    const status = STATUSES.find((each) => String(each) === String(value));
    return status === undefined ? undefined : read(status);
  });
}
