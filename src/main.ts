#!/usr/bin/env node
import { whyTooFewDescriptors } from "./base/descriptors.ts";

const tooFew = whyTooFewDescriptors();
if (tooFew === undefined) {
  const { start } = await import("./start.ts"); // which takes descriptors already
  await start();
} else {
  process.stderr.write(`edgeward: ${tooFew}\n`);
  process.exitCode = 1;
}
