/** The system lets this process have no thread more: TasksMax= of systemd, `docker run --pids-limit`. */
import { expect, it, vi } from "vitest";
import { loadConfigInThread } from "../../src/config/thread.ts";

vi.mock("node:worker_threads", () => ({
  Worker: function () {
    throw new Error("EAGAIN");
  },
}));

it("a configuration that there is no thread to read by is refused in words", async () => {
  const loaded = loadConfigInThread("/etc/edgeward.yaml", { environment: {}, nowMs: 0, generation: 1 });
  expect(await loaded).toEqual({
    kind: "problems",
    problems: [expect.objectContaining({ message: expect.stringContaining("no thread more") })],
  });
});
