// node bench/http/tls-generator.mjs PORT HOSTNAME SECONDS CONNECTIONS, with requests on standard input: a new TLS connection for each
import { readFileSync } from "node:fs";
import { connect } from "node:tls";

const [port = 0, seconds = 0, connections = 0] = [2, 4, 5].map((at) => Number(process.argv[at]));
const servername = process.argv[3] ?? "";
/** Each with what its answer must have in it: any of some. @type {readonly { request: string, answers: readonly string[] }[]} */
const requests = JSON.parse(readFileSync(0, "utf8"));

let at = 0;
const totals = { requests: 0, failed: 0, resumed: 0, other: 0 };
/** @type {number[]} */
const delaysMs = [];
const startedMs = performance.now();
const untilMs = startedMs + seconds * 1000;

await Promise.all(Array.from({ length: connections }, askOnAndOn));
const perSecond = (totals.requests / (performance.now() - startedMs)) * 1000;
delaysMs.sort((a, b) => a - b);
const p99Ms = delaysMs[Math.floor(delaysMs.length * 0.99)] ?? Number.NaN;
process.stdout.write(JSON.stringify({ ...totals, perSecond, p99Ms }));

async function askOnAndOn() {
  while (performance.now() < untilMs) {
    const { request, answers } = requests[at++ % requests.length] ?? { request: "", answers: [] };
    const beforeMs = performance.now();
    const answer = await ask(request);
    delaysMs.push(performance.now() - beforeMs);
    if (answer.startsWith("HTTP/1.1 302 ") && answers.some((part) => answer.includes(part)))
      totals.requests++;
    else totals.failed++;
  }
}

/** No session is offered, so that every handshake is a full one. @param {string} request @returns {Promise<string>} */
function ask(request) {
  return new Promise((resolve) => {
    let answer = "";
    const socket = connect({
      host: "127.0.0.1",
      port,
      servername,
      rejectUnauthorized: false,
      ALPNProtocols: ["http/1.1"],
    });
    socket.setEncoding("latin1");
    socket.once("secureConnect", () => {
      if (socket.isSessionReused()) totals.resumed++;
      if (socket.getProtocol() !== "TLSv1.3") totals.other++;
      socket.write(request);
    });
    socket.on("data", (text) => (answer += text));
    socket.on("error", () => {});
    socket.once("close", () => resolve(answer));
  });
}
