import { join } from "node:path";
import { expect, it } from "vitest";
import { whereWritten } from "../../src/config/where.ts";
import { folderWith } from "./support.ts";

it("finds values where they are written: in the main file, in a file of edges.d, or above both", async () => {
  const folder = await folderWith({
    "edgeward.yaml": "listen: {}\nedges:\n  ams1: { tags: [live] }\nzones:\n  Example.net.: {}\n",
    "edges.d/more.yaml": "edges:\n\n  sin1:\n    tags: [live, vod]\n",
  });
  const paths = [
    ["edges", "ams1", "tags", 0],
    ["edges", "sin1", "tags", 1],
    ["edges", "sin1", "load"],
    ["edges", "nyc1"],
    ["zones", "example.net"],
  ];
  const found = await whereWritten(join(folder, "edgeward.yaml"), {}, paths);
  expect(found.map(({ file, line, column }) => `${file.slice(folder.length + 1)}:${line}:${column}`)).toEqual(
    [
      "edgeward.yaml:3:18",
      "edges.d/more.yaml:4:18",
      "edges.d/more.yaml:3:3",
      "edgeward.yaml:2:1",
      "edgeward.yaml:5:3",
    ],
  );
});
