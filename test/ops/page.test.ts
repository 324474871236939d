import { Script } from "node:vm";
import { describe, expect, it } from "vitest";
import { PAGE } from "../../src/ops/page.ts";
import { EDGES, FakeApi } from "./fake.ts";

/** As much of an element as the page's script uses. It has no way to read text as markup. */
class Element {
  hidden = false;
  textContent = "";
  className = "";
  value = "";
  children: Element[] = [];
  clicked: () => void = () => {};

  append(...children: Element[]): void {
    this.children.push(...children);
  }

  replaceChildren(...children: Element[]): void {
    this.children = children;
  }

  addEventListener(_event: string, listener: () => void): void {
    this.clicked = listener;
  }
}

type Answer = (path: string, headers: Record<string, string>) => { status: number; body?: unknown };

/** Runs the page's script; `tick` runs its next refresh. */
function open(answer: Answer) {
  const elements = new Map<string, Element>();
  const byId = (id: string): Element => {
    if (!PAGE.includes(`id="${id}"`)) throw new Error(`no element ${id}`);
    const element = elements.get(id) ?? new Element();
    elements.set(id, element);
    return element;
  };
  const stored = new Map<string, string>();
  let next: () => unknown = () => {};
  const context = {
    document: { getElementById: byId, createElement: () => new Element() },
    sessionStorage: {
      getItem: (key: string) => stored.get(key) ?? null,
      setItem: (key: string, value: string) => stored.set(key, value),
    },
    fetch: async (path: string, { headers }: { headers: Record<string, string> }) => {
      const { status, body } = answer(path, headers);
      return { status, ok: status < 300, json: async () => JSON.parse(JSON.stringify(body)) as unknown };
    },
    setTimeout: (refresh: () => unknown) => (next = refresh),
  };
  const script = /<script>([\s\S]*)<\/script>/.exec(PAGE)?.[1] ?? "";
  new Script(script).runInNewContext(context);
  const settle = () => new Promise((resolve) => setImmediate(resolve));
  return {
    byId,
    tick: async (): Promise<void> => {
      await settle();
      await next();
    },
  };
}

describe("the page", () => {
  const api = new FakeApi();

  it("lists the edges and the last reload", async () => {
    const { byId, tick } = open((path) => ({
      status: 200,
      body: path === "/v1/edges" ? EDGES : api.status(),
    }));
    await tick();
    const rows = byId("edges").children.map((row) => row.children.map(({ textContent }) => textContent));
    expect(rows[0]).toEqual([
      "ams1",
      "active",
      "up",
      "down: timeout",
      "50.0 %",
      "350",
      "500.0",
      "1 s",
      "121",
    ]);
    expect(rows[1]?.slice(0, 5)).toEqual([
      "sin1",
      expect.stringContaining("drain (ops: <b>disk</b>, until"),
      "unknown",
      "–",
      "?",
    ]);
    expect(byId("reload").textContent).toContain("Configuration taken");
    expect(byId("content").hidden).toBe(false);
  });

  it("shows the problems of a refused configuration", async () => {
    const status = api.status();
    const problems = [{ file: "a.yaml", line: 3, column: 5, path: "edges.x", message: "is wrong" }];
    const lastReload = { successful: false, atMs: 1, problems };
    const body = { ...status, configuration: { ...status.configuration, lastReload } };
    const { byId, tick } = open((path) => ({ status: 200, body: path === "/v1/edges" ? [] : body }));
    await tick();
    expect(byId("reload")).toMatchObject({
      className: "bad",
      textContent: expect.stringContaining("refused"),
    });
    expect(byId("problems").children[0]?.textContent).toBe("a.yaml:3:5: edges.x: is wrong");
  });

  it("asks for a token where one is needed, and sends it", async () => {
    const { byId, tick } = open((path, { authorization }) =>
      authorization === "Bearer abc"
        ? { status: 200, body: path === "/v1/edges" ? EDGES : api.status() }
        : { status: 401 },
    );
    await tick();
    expect(byId("signin").hidden).toBe(false);
    expect(byId("content").hidden).toBe(true);
    byId("token").value = " abc ";
    byId("use").clicked();
    await tick();
    await tick();
    expect(byId("signin").hidden).toBe(true);
    expect(byId("edges").children).toHaveLength(2);
  });

  it("keeps trying when the door does not answer", async () => {
    let answers = 0;
    const { byId, tick } = open((path) =>
      ++answers <= 2 ? { status: 500 } : { status: 200, body: path === "/v1/edges" ? [] : api.status() },
    );
    await new Promise((resolve) => setImmediate(resolve));
    expect(byId("trouble").textContent).toContain("500");
    await tick();
    expect(byId("trouble").textContent).toBe("");
  });
});
