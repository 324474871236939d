import { expect, it } from "vitest";
import { certificateTexts } from "../../src/control/certificate-alarms.ts";

const NOW_MS = Date.UTC(2026, 0, 1);
const HOUR_MS = 3_600_000;

it.each([
  [49 * HOUR_MS, true, []],
  [30.5 * HOUR_MS, true, ["certificate live.crt expires in 31 h"]],
  [-1, true, ["certificate live.crt has expired: viewers cannot connect by HTTPS"]],
  [
    1000 * HOUR_MS,
    false,
    [
      "certificate live.crt: its files are not taken as they are now, the last good ones are in use: the log says why",
    ],
  ],
])("tells of a certificate with %i ms left, latest %s", (leftMs, isLatest, texts) => {
  const state = { file: "/secret/live.crt", expiresMs: NOW_MS + leftMs, isLatest };
  expect(certificateTexts([state], NOW_MS)).toEqual(texts);
});
