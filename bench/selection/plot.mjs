const PANEL = { width: 560, height: 320, gap: 60 };
const MARGIN = { left: 56, top: 64, right: 24, bottom: 48 };
const COLOUR = { within: "#3b6ea5", beyond: "#c0392b", full: "#444", axis: "#999", text: "#222" };

/**
 * Utilisation of each edge over time under edgeward, beside static nearest, on one scale. Edges that are ever
 * beyond their capacity are red and named.
 * @param {import("./types.ts").Scenario} scenario
 * @param {{[rule: string]: import("./types.ts").Series}} series
 * @returns {string} SVG
 */
export function plot(scenario, series) {
  const panels = ["edgeward", "nearest"];
  const highest = Math.max(
    1.2,
    ...panels.flatMap((rule) => series[rule].utilisation.map((step) => Math.max(...step))),
  );
  const width = MARGIN.left + 2 * PANEL.width + PANEL.gap + MARGIN.right;
  const height = MARGIN.top + PANEL.height + MARGIN.bottom;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="system-ui, sans-serif" font-size="12" fill="${COLOUR.text}">
<title>Utilisation of each edge over time: ${escape(scenario.about)}</title>
<rect width="${width}" height="${height}" fill="#fff"/>
<text x="${MARGIN.left}" y="24" font-size="16">${escape(scenario.about)}: utilisation of each edge</text>
${panels.map((rule, i) => panel(scenario, rule, series[rule], MARGIN.left + i * (PANEL.width + PANEL.gap), highest)).join("\n")}
</svg>
`;
}

/**
 * @param {import("./types.ts").Scenario} scenario
 * @param {string} rule
 * @param {import("./types.ts").Series} series
 * @param {number} left
 * @param {number} highest
 */
function panel({ edges, durationMs }, rule, { stepMs, utilisation }, left, highest) {
  /** @param {number} ms */
  const x = (ms) => (PANEL.width * ms) / durationMs;
  /** @param {number} share */
  const y = (share) => PANEL.height * (1 - share / highest);
  const curves = edges.map(({ id }, edge) => {
    const shares = utilisation.map((step) => step[edge]);
    const peak = Math.max(...shares);
    const points = shares.map((share, i) => `${x(i * stepMs).toFixed(1)},${y(share).toFixed(1)}`).join(" ");
    const colour = peak > 1 ? COLOUR.beyond : COLOUR.within;
    const label =
      peak > 1
        ? `<text x="${x(shares.indexOf(peak) * stepMs).toFixed(1)}" y="${(y(peak) - 4).toFixed(1)}" fill="${colour}">${escape(id)}</text>`
        : "";
    return `<polyline points="${points}" fill="none" stroke="${colour}" stroke-opacity="0.7"><title>${escape(id)}</title></polyline>${label}`;
  });
  return `<g transform="translate(${left},${MARGIN.top})">
<text y="-12" font-weight="bold">${rule}</text>
${shareTicks(highest)
  .map(
    (share) =>
      `<line x2="${PANEL.width}" y1="${y(share)}" y2="${y(share)}" stroke="${COLOUR.axis}" stroke-opacity="0.3"/><text x="-8" y="${y(share) + 4}" text-anchor="end">${Math.round(share * 100)} %</text>`,
  )
  .join("")}
${timeTicks(durationMs)
  .map((ms) => `<text x="${x(ms)}" y="${PANEL.height + 18}" text-anchor="middle">${ms / 60_000} min</text>`)
  .join("")}
<line x2="${PANEL.width}" y1="${y(1)}" y2="${y(1)}" stroke="${COLOUR.full}" stroke-dasharray="4 3"/>
${curves.join("\n")}
<path d="M0 0V${PANEL.height}H${PANEL.width}" fill="none" stroke="${COLOUR.axis}"/>
</g>`;
}

/** @param {number} highest */
function shareTicks(highest) {
  const step = [0.25, 0.5, 1, 2, 5].find((s) => highest / s <= 8) ?? Math.ceil(highest / 8);
  return Array.from({ length: Math.floor(highest / step) + 1 }, (_, i) => i * step);
}

/** @param {number} durationMs */
function timeTicks(durationMs) {
  const minutes = durationMs / 60_000;
  const step = [1, 5, 10, 15, 30, 60, 120].find((s) => minutes / s <= 8) ?? 240;
  return Array.from({ length: Math.floor(minutes / step) + 1 }, (_, i) => i * step * 60_000);
}

/** @param {string} text */
function escape(text) {
  return text.replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`);
}
