import { execFileSync, spawnSync } from "node:child_process";
import { appendFile, chmod, mkdir, rename, rm, symlink, utimes, writeFile } from "node:fs/promises";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { join, resolve } from "node:path";
import { afterEach, describe, expect, it, vi } from "vitest";
import { digestOfFiles } from "../../src/config/digest.ts";
import { loadConfig } from "../../src/config/load.ts";
import { loadConfigInThread, loadFirstConfigInThread } from "../../src/config/thread.ts";
import { watchConfig } from "../../src/config/watch.ts";
import { folderWith, options } from "./support.ts";

const small = 'listen: { http: ["127.0.0.1:8080"] }\n';

async function messages(file: string): Promise<string[]> {
  const result = await loadConfig(file, options);
  if (result.kind === "ok") return [];
  return result.problems.map(({ line, column, message }) => `${line}:${column}: ${message}`);
}

describe("files that cannot be read", () => {
  it("are missing, folders, empty, too large or no text", async () => {
    const folder = await folderWith({ "empty.yaml": "", "large.yaml": `#${"x".repeat(2 ** 20)}` });
    await writeFile(join(folder, "binary.yaml"), Buffer.from([0x61, 0xff, 0xfe]));
    expect(await messages(join(folder, "missing.yaml"))).toEqual([expect.stringContaining("does not exist")]);
    expect(await messages(folder)).toEqual([
      expect.stringContaining(`is not a file; name one, as ${folder}/edgeward.yaml`),
    ]);
    expect(await messages(join(folder, "empty.yaml"))).toEqual([expect.stringContaining("is empty")]);
    expect(await messages(join(folder, "large.yaml"))).toEqual([expect.stringContaining("1048577 octets")]);
    expect(await messages(join(folder, "binary.yaml"))).toEqual([expect.stringContaining("not UTF-8")]);
  });

  it("say where what is no text begins, and what belongs into a file of edges.d", async () => {
    const folder = await folderWith({ "edgeward.yaml": small, "edges.d/a.yaml": "\n" });
    const latin1 = Buffer.from(`${small}# Zürich, ß, Größe\n`, "latin1");
    await writeFile(join(folder, "latin1.yaml"), latin1);
    await writeFile(join(folder, "utf16.yaml"), Buffer.from(`\ufeff${small}`, "utf16le"));
    await mkdir(join(folder, "edges.d/b.yaml"));
    expect(await messages(join(folder, "latin1.yaml"))).toContain("2:4: is not UTF-8 text; save it as UTF-8");
    expect(await messages(join(folder, "utf16.yaml"))).toContain("1:1: is not UTF-8 text; save it as UTF-8");
    expect(await messages(join(folder, "edgeward.yaml"))).toEqual([
      "1:1: is empty; write edges: into it, or remove it",
      "1:1: is not a file; take it out of edges.d, or give it another name: those that end in .yaml are read",
    ]);
  });

  it("end lines by CR alone, as nobody but YAML does", async () => {
    const lone = "a carriage return (CR) alone; save the file with line ends LF, or CR LF";
    const folder = await folderWith({
      "mac.yaml": small.replace("\n", "\r"),
      "twice.yaml": small.replace("\n", "\r\r\n"),
      "comment.yaml": `${small}# was\rservices: { live: {} }\n`,
      "dos.yaml": small.replace("\n", "\r\n"),
    });
    const end = small.length;
    expect(await messages(join(folder, "mac.yaml"))).toEqual([`1:${end}: ${lone}`]);
    expect(await messages(join(folder, "twice.yaml"))).toEqual([`1:${end}: ${lone}`]);
    expect(await messages(join(folder, "comment.yaml"))).toEqual([`2:6: ${lone}`]);
    expect(await messages(join(folder, "dos.yaml"))).toEqual([]);
  });

  it("are named pipes that nobody writes to", async () => {
    const folder = await folderWith({});
    const file = join(folder, "pipe.yaml");
    execFileSync("mkfifo", [file]);
    expect(await messages(file)).toEqual(["1:1: is not a file; name the configuration with -c FILE"]);
  });

  it("lead through a file as if it were a folder", async () => {
    const folder = await folderWith({ "edgeward.yaml": small });
    const file = join(folder, "edgeward.yaml", "edgeward.yaml");
    expect(await messages(file)).toEqual(["1:1: cannot be read (ENOTDIR)"]);
  });
});

describe("a folder edges.d", () => {
  it("gives its YAML files by name, and none that an editor is at", async () => {
    const folder = await folderWith({
      "edgeward.yaml": small,
      ...Object.fromEntries(
        ["b.yaml", "a.yml", "c.txt", ".d.yaml", "e.yaml~"].map((name) => [`edges.d/${name}`, "edges: {}"]),
      ),
    });
    const result = await loadConfig(join(folder, "edgeward.yaml"), options);
    expect(result).toMatchObject({
      kind: "ok",
      files: ["edgeward.yaml", "edges.d/a.yml", "edges.d/b.yaml"].map((name) => join(folder, name)),
    });
  });
});

/** By a program that may read no more than others of its name, as root may. */
function checkedByAnyone(file: string) {
  const asAnyone = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"];
  const check = [process.execPath, resolve(import.meta.dirname, "../../dist/main.js"), "check", "-c", file];
  const [program = "", ...args] = process.getuid?.() === 0 ? [...asAnyone, ...check] : check;
  return spawnSync(program, args, { encoding: "utf8" });
}

describe("a folder edges.d that cannot be listed", () => {
  /** Of what is wrong: the file's name and the words. */
  async function problemsOf(folder: string): Promise<string[]> {
    const result = await loadConfig(join(folder, "edgeward.yaml"), options);
    if (result.kind === "ok") return [];
    return result.problems.map(({ file, message }) => `${file.slice(folder.length + 1)}: ${message}`);
  }

  it("is no folder without edges: is a file, a link that leads nowhere or round in a circle", async () => {
    const folder = await folderWith({ "edgeward.yaml": small });
    expect(await problemsOf(folder)).toEqual([]);
    await writeFile(join(folder, "edges.d"), "edges: {}");
    expect(await problemsOf(folder)).toEqual([expect.stringContaining("edges.d: is not a folder")]);
    for (const [target, problem] of [
      ["nowhere", "edges.d: is a link that leads nowhere"],
      ["edges.d", "edges.d: cannot be listed (ELOOP)"],
    ] as const) {
      await rm(join(folder, "edges.d"));
      await symlink(target, join(folder, "edges.d"));
      expect(await problemsOf(folder)).toEqual([expect.stringContaining(problem)]);
    }
  });

  it("is another configuration than one without it, so that its end is an edit", async () => {
    const folder = await folderWith({ "edgeward.yaml": small });
    const file = join(folder, "edgeward.yaml");
    const without = await digestOfFiles(file);
    await symlink("nowhere", join(folder, "edges.d"));
    expect(await digestOfFiles(file)).not.toBe(without);
    expect(await loadConfig(file, options)).toMatchObject({ digest: await digestOfFiles(file) });
    await rm(join(folder, "edges.d"));
    expect(await digestOfFiles(file)).toBe(without);
    await mkdir(join(folder, "edges.d"));
    await symlink("nowhere", join(folder, "edges.d/a.yaml"));
    expect(await digestOfFiles(file)).not.toBe(without);
    expect(await loadConfig(file, options)).toMatchObject({ digest: await digestOfFiles(file) });
  });

  it("is one that this user may not read", async () => {
    const folder = await folderWith({ "edgeward.yaml": small, "edges.d/a.yaml": "edges: {}" });
    await chmod(join(folder, "edges.d"), 0o300);
    const { status, stdout, stderr } = checkedByAnyone(join(folder, "edgeward.yaml"));
    expect(`${stdout}${stderr}`).toContain("edges.d:1:1: may not be listed");
    expect(status).toBe(3);
    await chmod(join(folder, "edges.d"), 0o700);
    expect(await problemsOf(folder)).toEqual([]);
  });

  it("may hold links, as long as they lead somewhere", async () => {
    const folder = await folderWith({ "edgeward.yaml": small, "edges.d/b.yml": "edges: {}" });
    await symlink("b.yml", join(folder, "edges.d/a.yaml"));
    expect(await problemsOf(folder)).toEqual([]);
    await rm(join(folder, "edges.d/b.yml"));
    expect(await problemsOf(folder)).toEqual([
      expect.stringContaining("edges.d/a.yaml: is a link that leads nowhere"),
    ]);
  });
});

describe("the serial of zones", () => {
  const zone = "zones: { example.net: { nameservers: [ns.example.org], contact: a@example.net } }\n";

  async function serialOf(file: string): Promise<number | undefined> {
    const result = await loadConfig(file, options);
    return result.kind === "ok" ? result.inventory.zones[0]?.serial : undefined;
  }

  it("is the time of the last edit, in whichever file, and never in the future", async () => {
    const folder = await folderWith({ "edgeward.yaml": small + zone, "edges.d/a.yaml": "edges: {}" });
    const file = join(folder, "edgeward.yaml");
    await utimes(file, 1000, 1000);
    await utimes(join(folder, "edges.d"), 1000, 1000);
    await utimes(join(folder, "edges.d/a.yaml"), 2000, 2000);
    expect(await serialOf(file)).toBe(2000);
    await utimes(join(folder, "edges.d"), 3000, 3000);
    expect(await serialOf(file)).toBe(3000);
    await utimes(file, 9e9, 9e9);
    expect(await serialOf(file)).toBe(Math.floor(options.nowMs / 1000));
  });
});

describe("the thread", () => {
  it("gives the same as the call", async () => {
    const folder = await folderWith({ "good.yaml": small, "bad.yaml": "listen: [\n" });
    for (const name of ["good.yaml", "bad.yaml"]) {
      const file = join(folder, name);
      const read = await loadConfig(file, options);
      expect(await loadConfigInThread(file, options)).toEqual(read);
      expect(await loadFirstConfigInThread(file, options)).toEqual(read);
    }
  });

  it("reads 2,000 edges without holding up the caller", async () => {
    const edges = Array.from(
      { length: 2000 },
      (_, i) => `  edge${i}:
    location: { latitude: ${(i % 180) - 90}, longitude: ${(i % 360) - 180} }
    addresses: [10.0.${i >> 8}.${i & 255}, "2001:db8::${i.toString(16)}"]
    url: https://edge${i}.example.net
    tags: [live, t${i % 50}]
    capacity: { viewers: 700, bandwidth: 1Gbps }\n`,
    );
    const defaults = "defaults: { probe: { type: http, path: /health }, load: { type: push } }\n";
    const folder = await folderWith({ "edgeward.yaml": `${small}${defaults}edges:\n${edges.join("")}` });
    await loadConfigInThread(join(folder, "missing.yaml"), options);
    const delay = monitorEventLoopDelay({ resolution: 1 });
    delay.enable();
    const started = performance.now();
    const result = await loadConfigInThread(join(folder, "edgeward.yaml"), options);
    const took = performance.now() - started;
    await new Promise((resolve) => setTimeout(resolve, 20));
    delay.disable();
    const longestMs = delay.max / 1e6;
    console.log(`2,000 edges: ${took.toFixed(0)} ms, longest delay of the loop ${longestMs.toFixed(1)} ms`);
    expect(result.kind === "ok" && result.inventory.edges.length).toBe(2000);
    // Whoever reads by himself does nothing else meanwhile, on whatever machine.
    expect(longestMs).toBeLessThan(took / 3);
  });
});

describe("watching", () => {
  /** A busy machine may be late with the second of several writes. */
  const timing = { everyMs: 20, settleMs: 400 };
  let stop: (() => void) | undefined;
  afterEach(() => stop?.());

  /** Watches, waits until an edit is told, makes the change, and counts what is told of it. */
  async function callsAfter(file: string, change: () => Promise<void>): Promise<number> {
    const changed = vi.fn<() => void>();
    stop = watchConfig(file, changed, timing);
    // The first look may come after the first edits.
    let told: number;
    do {
      told = changed.mock.calls.length;
      if (told === 0) await appendFile(file, "# edited\n");
      await pause(2 * timing.settleMs);
    } while (told === 0 || changed.mock.calls.length > told);
    changed.mockClear();
    await change();
    await vi.waitFor(() => expect(changed).toHaveBeenCalled(), { timeout: 15_000, interval: 10 });
    await pause(1.5 * timing.settleMs);
    return changed.mock.calls.length;
  }

  it("tells an edit in place, in several writes, once", async () => {
    const file = join(await folderWith({ "edgeward.yaml": small }), "edgeward.yaml");
    const calls = await callsAfter(file, async () => {
      for (const text of ["", small.slice(0, 10), `${small}# edited\n`]) {
        await writeFile(file, text);
        await pause(25);
      }
    });
    expect(calls).toBe(1);
  });

  it("tells a file renamed into place, as editors save", async () => {
    const folder = await folderWith({ "edgeward.yaml": small, "edgeward.yaml~": `${small}# new\n` });
    const file = join(folder, "edgeward.yaml");
    expect(await callsAfter(file, () => rename(`${file}~`, file))).toBe(1);
  });

  it("tells a swapped ..data link, as Kubernetes updates a mounted ConfigMap", async () => {
    const folder = await folderWith({ "..1/edgeward.yaml": small, "..2/edgeward.yaml": `${small}# new\n` });
    await symlink("..1", join(folder, "..data"));
    await symlink("..data/edgeward.yaml", join(folder, "edgeward.yaml"));
    const calls = await callsAfter(join(folder, "edgeward.yaml"), async () => {
      await symlink("..2", join(folder, "..data_tmp"));
      await rename(join(folder, "..data_tmp"), join(folder, "..data"));
      await rm(join(folder, "..1"), { recursive: true });
    });
    expect(calls).toBe(1);
  });

  it("tells a file that comes to edges.d, and the folder with it", async () => {
    const folder = await folderWith({ "edgeward.yaml": small });
    const calls = await callsAfter(join(folder, "edgeward.yaml"), async () => {
      await mkdir(join(folder, "edges.d"));
      await writeFile(join(folder, "edges.d/a.yaml"), "edges: {}");
    });
    expect(calls).toBe(1);
  });

  it("tells nothing when nothing changes, nor after it was stopped", async () => {
    const file = join(await folderWith({ "edgeward.yaml": small }), "edgeward.yaml");
    const changed = vi.fn<() => void>();
    const settleMs = 1000; // a busy machine may be late with what is to come before
    stop = watchConfig(file, changed, { ...timing, settleMs });
    await pause(200);
    expect(changed).not.toHaveBeenCalled();
    await writeFile(file, `${small}# new\n`);
    await pause(50);
    stop();
    await pause(settleMs + 100);
    expect(changed).not.toHaveBeenCalled();
  });
});

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
