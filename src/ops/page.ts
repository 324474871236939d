import { createHash } from "node:crypto";

/**
 * The web page: a shell without data, which reads `/v1/status` and `/v1/edges` and shows them as text.
 * Where a token is needed it asks for one, and keeps it for the tab alone.
 */
export const PAGE_CONTENT_TYPE = "text/html; charset=utf-8";

const STYLE = `
:root { color-scheme: light dark; font: 15px/1.45 system-ui, sans-serif; }
body { margin: 2rem auto; max-width: 76rem; padding: 0 1rem; }
h1 { font-size: 1.3rem; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; padding: .35rem .7rem; border-bottom: 1px solid color-mix(in srgb, currentColor 20%, transparent); }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; }
.bad { color: #c0392b; font-weight: 600; }
.good { color: #1e8449; }
[hidden] { display: none; }
`;

const SCRIPT = `
const EVERY_MS = 2000;
const byId = (id) => document.getElementById(id);
let token = sessionStorage.getItem("token") ?? "";

async function read(path) {
  const headers = token === "" ? {} : { authorization: "Bearer " + token };
  const response = await fetch(path, { headers, cache: "no-store" });
  if (response.status === 401 || response.status === 403) throw new Error("token");
  if (!response.ok) throw new Error(path + ": " + response.status);
  return response.json();
}

function cell(text, kind) {
  const td = document.createElement("td");
  td.textContent = text;
  if (kind) td.className = kind;
  return td;
}

function family(edge, number) {
  const found = edge.health.find((one) => one.family === number);
  if (found === undefined) return cell("\\u2013");
  const kind = found.health === "up" ? "good" : found.health === "down" ? "bad" : "";
  const why = [found.reason, found.detail].filter(Boolean).join(" ");
  return cell(why && found.health !== "up" ? found.health + ": " + why : found.health, kind);
}

function state(edge) {
  const origin = edge.stateOrigin;
  if (origin.kind === "file") return edge.state;
  const until = origin.untilMs === undefined ? "" : ", until " + new Date(origin.untilMs).toLocaleString();
  return edge.state + " (" + origin.by + (origin.reason ? ": " + origin.reason : "") + until + ")";
}

function row(edge) {
  const tr = document.createElement("tr");
  const known = (value, text) => (value === undefined ? "?" : text(value));
  tr.append(
    cell(edge.id),
    cell(state(edge), edge.state === "active" ? "" : "bad"),
    family(edge, 4),
    family(edge, 6),
    cell(known(edge.loadRatio, (ratio) => (ratio * 100).toFixed(1) + " %"), "number"),
    cell(known(edge.load.viewers, String), "number"),
    cell(known(edge.load.bandwidth, (bits) => (bits / 1e6).toFixed(1)), "number"),
    cell(known(edge.reportAgeMs, (ms) => (ms / 1000).toFixed(0) + " s"), "number"),
    cell(edge.priceKm === null ? "?" : edge.priceKm.toFixed(0), "number"),
  );
  return tr;
}

function showReload(reload) {
  const verdict = byId("reload");
  const when = new Date(reload.atMs).toLocaleString();
  verdict.textContent = reload.successful
    ? "Configuration taken " + when + "."
    : "Configuration refused " + when + "; the old one serves on.";
  verdict.className = reload.successful ? "good" : "bad";
  byId("problems").replaceChildren(...reload.problems.map((problem) => {
    const li = document.createElement("li");
    li.textContent = [problem.file, problem.line, problem.column].join(":") + ": " + problem.path + ": " + problem.message;
    return li;
  }));
}

async function refresh() {
  try {
    const [status, edges] = await Promise.all([read("/v1/status"), read("/v1/edges")]);
    byId("signin").hidden = true;
    byId("content").hidden = false;
    byId("summary").textContent = "edgeward " + status.version + ", configuration " + status.configuration.generation
      + (status.ready ? "" : "; not ready: " + status.reasons.join(", "));
    byId("alarms").replaceChildren(...status.alarms.map((alarm) => {
      const li = document.createElement("li");
      li.textContent = alarm;
      return li;
    }));
    showReload(status.configuration.lastReload);
    byId("edges").replaceChildren(...edges.map(row));
    byId("trouble").textContent = "";
  } catch (error) {
    const needsToken = error.message === "token";
    byId("signin").hidden = !needsToken;
    if (needsToken) byId("content").hidden = true;
    byId("trouble").textContent = needsToken ? "" : "Cannot read the state: " + error.message;
  }
  setTimeout(refresh, EVERY_MS);
}

byId("use").addEventListener("click", () => {
  token = byId("token").value.trim();
  sessionStorage.setItem("token", token);
});
void refresh();
`;

export const PAGE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>edgeward</title>
<style>${STYLE}</style>
</head>
<body>
<h1>edgeward</h1>
<p id="trouble" class="bad" role="status"></p>
<p id="signin" hidden><label>Token <input id="token" type="password" autocomplete="off"></label> <button id="use">Use</button></p>
<main id="content" hidden>
<p id="summary"></p>
<ul id="alarms" class="bad"></ul>
<p id="reload"></p>
<ul id="problems" class="bad"></ul>
<table>
<thead><tr><th>Edge</th><th>State</th><th>IPv4</th><th>IPv6</th><th class="number">Load</th><th class="number">Viewers</th><th class="number">Mbit/s</th><th class="number">Report age</th><th class="number">Price km</th></tr></thead>
<tbody id="edges"></tbody>
</table>
</main>
<script>${SCRIPT}</script>
</body>
</html>
`;

/** Nothing but the page's own script and style runs, and they reach nothing but this door. */
export const PAGE_POLICY = [
  "default-src 'none'",
  `script-src '${hash(SCRIPT)}'`,
  `style-src '${hash(STYLE)}'`,
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

function hash(inline: string): string {
  return `sha256-${createHash("sha256").update(inline).digest("base64")}`;
}
