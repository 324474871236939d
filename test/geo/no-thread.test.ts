/** The system lets this process have no thread more: TasksMax= of systemd, `docker run --pids-limit`. */
import { expect, it, vi } from "vitest";
import type { Mmdb } from "../../src/geo/mmdb.ts";
import { startSurvey } from "../../src/geo/survey.ts";

vi.mock("node:worker_threads", () => ({
  Worker: function () {
    throw new Error("EAGAIN");
  },
}));

it("a database that there is no thread to survey by is not surveyed", async () => {
  const survey = startSurvey({} as Mmdb);
  expect(await survey.regions).toBeUndefined();
  survey.stop();
});
