import { expect, it, onTestFinished } from "vitest";
import { LONDON, referenceConfig, replaceFile, textOf } from "./reference.ts";
import { takeFolder, takeNetwork } from "./network.ts";
import { waitFor } from "./wait.ts";
import { PATIENCE_MS, startService } from "./harness.ts";

it("takes configurations that come while its doors open", { timeout: PATIENCE_MS }, async () => {
  const { folder, remove } = takeFolder();
  onTestFinished(remove);
  const config = await referenceConfig(takeNetwork());
  const service = await startService({ config, folder, until: "alive" });
  const isOpen = async (): Promise<boolean> => (await service.ops("GET", "/readyz")).status === 200;
  let seconds = 0;
  do {
    config["services"].live.http.stickiness = `${++seconds}s`;
    replaceFile(service.configFile, textOf(config));
    expect((await service.ops("POST", "/v1/reload")).status).toBe(200);
  } while (!(await isOpen()));
  await waitFor(
    async () => {
      const { headers } = await service.get("/x", { from: LONDON });
      return headers["cache-control"] === `private, max-age=${seconds}`;
    },
    10_000,
    "the last edit",
  );
  expect(service.log().filter(({ level }) => level === "error")).toEqual([]);
  await service.stop();
});
