import { expect, it } from "vitest";
import { defaultConfigFile } from "../../src/commands/default-config-file.ts";

it.each([
  [["config/edgeward.yaml"], "config/edgeward.yaml"],
  [["/etc/edgeward/edgeward.yaml"], "/etc/edgeward/edgeward.yaml"],
  [["config/edgeward.yaml", "/etc/edgeward/edgeward.yaml"], "config/edgeward.yaml"],
  [[], "config/edgeward.yaml"],
])("with %j, is %s", (there, expected) => {
  expect(defaultConfigFile((file) => there.includes(file))).toBe(expected);
});
