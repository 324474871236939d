/**
 * Viewers behind the answers of a bench: each answer brings one within its time to live, who stays for five minutes. They are counted by edge from
 * the program's own metrics and reported to it, every edge every five seconds, and the prices are read back.
 * While nobody asks, nobody comes and nobody leaves. Edges grow with what the machine answers, so that they are as full
 * on a crowded one.
 */
const STAY_SECONDS = 300;
const TICK_MS = 1000;
/** The time to live of the bench's answers. */
const TICKS_UNDER_WAY = 20;
/** What is answered per second is averaged over so many. */
const GROWTH_TICKS = 10;
/** Each edge reports in one of so many ticks. */
const TICKS_PER_REPORT = 5;
const CALIBRATION_TICKS = 4;
/** What edges are built for, as multiples of what comes to them without prices: a third of them for too little. */
const SIZES = [0.7, 1.3, 1.7];
/** But at least for this part of all viewers. */
const SMALLEST_SHARE = 0.0002;
/** Nobody is reported as fuller at the start. */
const FULL_SHARE = 0.995;

/** What the prices did in a second in which the server was measured. @typedef {{ priced: number, moved: number, meanKm: number }} Prices */

/**
 * @typedef {object} Audience
 * @property {<T>(measure: () => Promise<T>) => Promise<T>} whileAsked
 * @property {() => readonly Prices[]} prices by second
 * @property {() => void} startOver when others are about to ask
 * @property {() => Promise<void>} stop
 */

/** @param {number} opsPort @param {readonly string[]} edges ids @returns {Audience} */
export function gather(opsPort, edges) {
  const base = `http://127.0.0.1:${opsPort}`;
  let isAsked = false;
  /** @type {Map<string, number>} */
  let capacity = new Map();
  /** @type {Map<string, number>} */
  let viewers = new Map();
  /** Per second. @type {Map<string, number>} */
  let coming = new Map();
  /** Answers per second now, and when the edges were built. */
  let rate = { now: 0, before: 0 };
  /** @type {Map<string, number>[]} decisions so far by edge, of the ticks before there are viewers */
  let calibration = [];
  /** @type {{ decisions: Map<string, number>, priceKm: Map<string, number> } | undefined} */
  let before;
  /** @type {Prices[]} */
  const prices = [];
  let tick = 0;
  let last = Promise.resolve();

  const step = async () => {
    const text = await (await fetch(`${base}/metrics`)).text();
    const decisions = valuesByEdge(text, "edgeward_decisions_total");
    const priceKm = valuesByEdge(text, "edgeward_edge_price_km");
    if (viewers.size === 0) begin(decisions);
    else if (before !== undefined && isAsked) live(before, { decisions, priceKm });
    before = { decisions, priceKm };
    if (viewers.size > 0) await report();
    tick++;
  };

  /** @param {Map<string, number>} decisions */
  const begin = (decisions) => {
    if (!isAsked) return;
    calibration.push(decisions);
    if (calibration.length <= CALIBRATION_TICKS) return;
    const [first = decisions] = calibration;
    const perSecond = new Map(
      edges.map((id) => [id, ((decisions.get(id) ?? 0) - (first.get(id) ?? 0)) / CALIBRATION_TICKS]),
    );
    coming = perSecond;
    const all = sum([...perSecond.values()]);
    rate = { now: all, before: all };
    capacity = capacities(perSecond);
    viewers = settled(perSecond, capacity);
  };

  /** @param {NonNullable<typeof before>} earlier @param {NonNullable<typeof before>} now */
  const live = (earlier, now) => {
    const all = sum([...now.decisions.values()]) - sum([...earlier.decisions.values()]);
    rate.now += (all - rate.now) / GROWTH_TICKS;
    for (const id of edges) {
      const answers = (now.decisions.get(id) ?? 0) - (earlier.decisions.get(id) ?? 0);
      const come = coming.get(id) ?? 0;
      const there = viewers.get(id) ?? 0;
      coming.set(id, come + ((answers * rate.before) / rate.now - come) / TICKS_UNDER_WAY);
      viewers.set(id, there + come - there / STAY_SECONDS);
    }
    const km = [...now.priceKm.values()];
    const priced = km.filter((price) => price > 0).length;
    const moved = edges.filter((id) => now.priceKm.get(id) !== earlier.priceKm.get(id)).length;
    prices.push({ priced, moved, meanKm: priced === 0 ? 0 : sum(km) / priced });
  };

  const report = () => {
    const growth = rate.now / rate.before;
    return Promise.all(
      edges.map(async (id, i) => {
        if ((i + tick) % TICKS_PER_REPORT !== 0) return;
        const body = JSON.stringify({
          viewers: Math.round((viewers.get(id) ?? 0) * growth),
          capacity: { viewers: Math.round((capacity.get(id) ?? 0) * growth) },
        });
        const headers = { "content-type": "application/json" };
        const { status } = await fetch(`${base}/v1/edges/${id}/load`, { method: "PUT", body, headers });
        if (status >= 300) throw new Error(`the report of ${id} was refused: ${status}`);
      }),
    );
  };

  const timer = setInterval(() => {
    last = last.then(step);
  }, TICK_MS);
  return {
    async whileAsked(measure) {
      isAsked = true;
      try {
        return await measure();
      } finally {
        isAsked = false;
      }
    },
    prices: () => prices,
    startOver() {
      calibration = [];
      viewers = new Map();
    },
    stop() {
      clearInterval(timer);
      return last;
    },
  };
}

/** Viewers, by edge. @param {ReadonlyMap<string, number>} perSecond who come without prices */
function capacities(perSecond) {
  const all = sum([...perSecond.values()]);
  return new Map(
    [...perSecond].map(([id, rate], i) => {
      const share = Math.max(SMALLEST_SHARE, rate / all) * (SIZES[i % SIZES.length] ?? 1);
      return [id, Math.round(share * all * STAY_SECONDS)];
    }),
  );
}

/** As many as come in a stay, up to what there is room for; the others are spread over the rest. @param {ReadonlyMap<string, number>} perSecond @param {ReadonlyMap<string, number>} capacity */
function settled(perSecond, capacity) {
  const edges = [...perSecond].map(([id, rate]) => {
    const most = FULL_SHARE * (capacity.get(id) ?? 0);
    const wanted = rate * STAY_SECONDS;
    return { id, wanted, room: Math.max(0, most - wanted), over: Math.max(0, wanted - most) };
  });
  const spread = Math.min(1, sum(edges.map(({ over }) => over)) / sum(edges.map(({ room }) => room)));
  return new Map(edges.map(({ id, wanted, room, over }) => [id, wanted - over + room * spread]));
}

/** Of a metric, added up over its other labels. @param {string} text @param {string} name */
function valuesByEdge(text, name) {
  /** @type {Map<string, number>} */
  const values = new Map();
  for (const line of text.split("\n")) {
    if (!line.startsWith(`${name}{`)) continue;
    const edge = /edge="([^"]*)"/.exec(line)?.[1] ?? "";
    values.set(edge, (values.get(edge) ?? 0) + Number(line.slice(line.lastIndexOf(" "))));
  }
  return values;
}

/** @param {readonly number[]} values */
function sum(values) {
  return values.reduce((total, value) => total + value, 0);
}
