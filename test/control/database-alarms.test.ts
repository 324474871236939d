import { expect, it } from "vitest";
import { databaseTexts } from "../../src/control/database-alarms.ts";

it("tells of files that were refused, whether another is in use or none, without their folders", () => {
  const role = "city";
  const flaw = (reason: "absent" | "no-metadata") => ({ reason, detail: "in words" });
  expect(
    databaseTexts([
      { path: "/secret/sound.mmdb", role, builtAtMs: 1 },
      { path: "/secret/gone.mmdb", role, flaw: flaw("absent") },
      { path: "/secret/cut.mmdb", role, flaw: flaw("no-metadata"), builtAtMs: 1 },
    ]),
  ).toEqual([
    "GeoIP database gone.mmdb is not there or not sound (absent): viewers are located without it",
    "GeoIP database cut.mmdb is gone or not sound any more (no-metadata): the one in use would not outlast a restart",
  ]);
});
