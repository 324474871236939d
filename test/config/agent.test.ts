import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { agentFor, loadAgent } from "../../src/config/agent.ts";

async function load(text: string, environment: Record<string, string> = {}) {
  const folder = await mkdtemp(join(tmpdir(), "edgeward-agent-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  const file = join(folder, "agent.yaml");
  await writeFile(file, text);
  const loaded = await loadAgent(file, environment);
  return loaded.kind === "ok"
    ? loaded.settings
    : loaded.problems.map(({ line, column, path, message }) => `${line}:${column}: ${path}: ${message}`);
}

describe("the agent's file", () => {
  it("says what is read, for which edge, and to whom it is told", async () => {
    const text = `
edge: ams1
server: https://director.example.net:9443/
token: "\${TOKEN}"
load:
  - { type: nginx-rtmp, url: "http://127.0.0.1" }
  - { type: mistserver, url: "http://127.0.0.1:4242", passphrase: "\${MIST}", interval: 2s }
`;
    expect(await load(text, { TOKEN: "abc", MIST: "koekjes" })).toMatchObject({
      edge: "ams1",
      server: "https://director.example.net:9443",
      token: "abc",
      load: [
        { type: "nginx-rtmp", url: "http://127.0.0.1/stat", intervalMs: 5000 },
        { type: "mistserver", passphrase: "koekjes", intervalMs: 2000 },
      ],
    });
  });

  it.each([
    ["load: { type: push }", "1:15: load.type: an agent reads what it pushes; name the server that it reads"],
    ["edge: ams1", /load: missing/],
    ["load: { type: nginx, url: http://x }", /not a type of load; write .*nginx-rtmp/],
    ["load: { type: mistserver, url: http://x }", /passphrase/],
    ["lood: {}\nload: { type: srs, url: http://x }", "1:1: lood: unknown key; did you mean load?"],
    ["server: ftp://x\nload: { type: srs, url: http://x }", /1:9: server: .*URL/],
    ["load: [", /1:/],
    ["", /empty/],
  ])("is refused: %j", async (text, problem) => {
    const problems = await load(text);
    expect(Array.isArray(problems)).toBe(true);
    const [first] = problems as string[];
    if (typeof problem === "string") expect(first).toBe(problem);
    else expect(first).toMatch(problem);
  });

  it("that is not there is a problem", async () => {
    expect(await loadAgent("/nonexistent/agent.yaml", {})).toMatchObject({
      kind: "problems",
      problems: [{ line: 1, message: "does not exist; name the agent's file with --file FILE" }],
    });
  });
});

describe("a source on the command line", () => {
  it("needs a type and a url", () => {
    expect(agentFor("nginx-rtmp", "http://127.0.0.1/stat")).toMatchObject({
      kind: "ok",
      settings: { load: [{ type: "nginx-rtmp" }] },
    });
    expect(agentFor("mistserver", "http://127.0.0.1")).toMatchObject({ kind: "problems" });
    expect(agentFor("push", "http://127.0.0.1")).toMatchObject({
      problems: [{ message: "an agent reads what it pushes; name the server that it reads" }],
    });
    expect(agentFor("x${HOME}", "http://127.0.0.1")).toMatchObject({ kind: "problems" });
  });
});
