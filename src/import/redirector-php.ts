import { type Draft, type DraftEdge, notesOn, type Original, type Refused, refused } from "./draft.ts";
import { createIds, isPlainText, nameNote, portProbe, readHost } from "./host.ts";
import { firstArgument, type Statement, statementsIn } from "./php-statements.ts";

/**
 * `redirector.php` of the PHP redirector for Nimble Streamer, where the edges stand in the code. What is no plain
 * call of its classes with plain values is told.
 */
export function importRedirectorPhp(original: Original): Draft | Refused {
  const { notes, note } = notesOn(original);
  const script = new Script(note);
  for (const statement of statementsIn(original.text)) script.take(statement);
  const idOf = createIds();
  const edges = script.added.flatMap((server) => edgeOf(server, script.balancer, idOf, note) ?? []);
  if (edges.length === 0) return refused(original, "no server is added in it with addServer()");
  note(
    `capacity is assumed: the script compares ${script.balancer.by} as such; write what each edge can carry`,
  );
  if (script.added.some(({ password }) => password !== undefined))
    note("passwords stand in the output as they are; better: token: ${NIMBLE_TOKEN}, and the environment");
  const { whenDown } = script.balancer;
  const service = { id: "live", rank: "least-loaded", http: { redirectorPhp: true }, whenDown } as const;
  return { edges, services: [service], notes };
}

type Take = (message: string, line?: number) => void;

interface Server {
  readonly host: string;
  readonly line: number;
  password?: string;
  managementPort: number;
}

interface Balancer {
  by: "bandwidth" | "connections";
  /** For how long it keeps what servers say. */
  seconds: number;
  whenDown: "fail-open" | "refuse";
}

const NEW = /^\$(\w+)\s*=\s*new\s+(NimbleServer|NimbleLoadBalancer)\s*(?:\((.*)\))?$/s;
const CALL = /^(?:\$(\w+)\s*=\s*)?\$(\w+)\s*->\s*(\w+)\s*\((.*)\)$/s;

/** What the statements make, one after the other. */
class Script {
  readonly added: Server[] = [];
  readonly balancer: Balancer = { by: "bandwidth", seconds: 10, whenDown: "fail-open" };
  readonly #servers = new Map<string, Server>();
  /** And what they give to set themselves by. */
  readonly #balancers = new Set<string>();
  readonly #note: Take;

  constructor(note: Take) {
    this.#note = note;
  }

  take({ text, line }: Statement): void {
    const made = NEW.exec(text);
    const called = CALL.exec(text);
    if (made !== null) this.#make(made, line);
    else if (called !== null) this.#call(called, line);
    else if (/new\s+Nimble|addServer/.test(text))
      this.#note("is not understood; look whether it adds a server", line);
  }

  #make([, variable = "", type, list = ""]: RegExpExecArray, line: number): void {
    if (type === "NimbleServer") {
      this.#servers.set(variable, { host: firstArgument(list), line, managementPort: 8082 });
      return;
    }
    this.#balancers.add(variable);
    if (firstArgument(list) === "connections") this.balancer.by = "connections";
  }

  #call([, given, variable = "", method = "", list = ""]: RegExpExecArray, line: number): void {
    const server = this.#servers.get(variable);
    if (method === "getFullPath")
      this.#note(
        "getFullPath(): viewers go to an edge's url here; for other protocols see http.urls of services",
        line,
      );
    else if (server !== undefined) this.#setServer(server, method, list, line);
    else if (this.#balancers.has(variable)) this.#setBalancer(method, list, line);
    if (given !== undefined && method === "setMemcachedServer") this.#balancers.add(given);
  }

  #setServer(server: Server, method: string, list: string, line: number): void {
    if (method === "setManagementPassword") this.#setPassword(server, firstArgument(list), line);
    else if (method === "setManagementPort") this.#setPort(server, Number(firstArgument(list)), line);
    else this.#note(`${method}() has no counterpart here`, line);
  }

  #setPort(server: Server, port: number, line: number): void {
    if (Number.isInteger(port) && port >= 1 && port <= 65_535) server.managementPort = port;
    else this.#note(`no usable management port; ${server.managementPort} is taken`, line);
  }

  #setPassword(server: Server, password: string, line: number): void {
    if (isPlainText(password) && password !== "") server.password = password;
    else this.#note("a password that cannot stand in our file; give it as token, by a variable", line);
  }

  #setBalancer(method: string, list: string, line: number): void {
    switch (method) {
      case "addServer": {
        const server = this.#servers.get(list.trim().replace(/^\$/, ""));
        if (server === undefined) this.#note("adds a server that is made elsewhere; left out", line);
        else this.added.push(server);
        return;
      }
      case "setExpirationTime":
        this.balancer.seconds = Math.min(Math.max(Math.round(Number(firstArgument(list))) || 5, 1), 3600);
        return;
      case "setWhenAllServersNotResponding":
        this.balancer.whenDown = firstArgument(list) === "throw" ? "refuse" : "fail-open";
        return;
      case "getServer":
        if (list.trim() !== "")
          this.#note("getServer() among some servers: write a service with those edges", line);
        return;
      case "setMemcachedServer":
        return this.#note("memcached is not needed any more", line);
      default:
        this.#note(`${method}() has no counterpart here`, line);
    }
  }
}

/** Where Nimble gives HLS and DASH. */
const HTTP_PORT = 8081;

function edgeOf(
  { host: written, line, password, managementPort }: Server,
  { by, seconds }: Balancer,
  idOf: (wanted: string) => string,
  note: Take,
): DraftEdge | undefined {
  const host = readHost(bare(written));
  if (host === undefined) {
    note("a server without a usable host; left out", line);
    return undefined;
  }
  if (host.address === undefined) note(nameNote(host), line);
  return {
    id: idOf(host.text),
    ...(host.address === undefined ? {} : { addresses: [host.address] }),
    url: `http://${host.text}:${HTTP_PORT}`,
    capacity: by === "bandwidth" ? { bandwidth: "1Gbps" } : { viewers: 1000 },
    probe: portProbe(host, HTTP_PORT),
    load: {
      type: "nimble",
      url: `http://${host.text}:${managementPort}`,
      ...(password === undefined ? {} : { token: password }),
      interval: `${seconds}s`,
      staleAfter: `${Math.max(30, 3 * seconds)}s`,
    },
  };
}

/** Without scheme, path and port, which the script strips, too. */
function bare(host: string): string {
  return host
    .replace(/^\w+:\/\//, "")
    .replace(/\/.*$/s, "")
    .replace(/^([^:]*|\[.*\]):\d+$/, "$1");
}
