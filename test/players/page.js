// Runs in the browser: starts one player and watches what its viewer sees.
/* global Hls, dashjs, shaka */
const video = document.getElementById("video");
const seen = { errors: [], firstFrameMs: null, stalledMs: 0, longestStallMs: 0, leastBufferSeconds: null };
const startedMs = performance.now();
/** How far behind the stream dash.js and Shaka play: what they have in the buffer must outlast a busy machine. */
const DELAY_SECONDS = 4;

const players = {
  hls(url) {
    const hls = new Hls({ liveSyncDurationCount: 3, ...window.settings });
    hls.on(Hls.Events.ERROR, (_event, { details, fatal }) => note(`${details}${fatal ? " (fatal)" : ""}`));
    hls.loadSource(url);
    hls.attachMedia(video);
    video.autoplay = true;
    window.player = hls;
  },
  dash(url) {
    const player = dashjs.MediaPlayer().create();
    player.updateSettings({
      debug: { logLevel: 0 },
      // Nobody outside is to be asked for the time.
      streaming: {
        delay: { liveDelay: DELAY_SECONDS },
        utcSynchronization: { enabled: false },
        ...window.settings,
      },
    });
    player.on("error", ({ error }) => note(`${error.code ?? ""} ${error.message ?? error}`));
    player.initialize(video, url, true);
    window.player = player;
  },
  async shaka(url) {
    shaka.polyfill.installAll();
    const player = new shaka.Player();
    await player.attach(video);
    video.autoplay = true;
    // ffmpeg's MPD suggests 1 s, as much as a segment is long: then the buffer is empty before each one.
    const dash = { ignoreSuggestedPresentationDelay: true };
    player.configure({
      manifest: { defaultPresentationDelay: DELAY_SECONDS, dash },
      ...window.settings,
    });
    player.addEventListener("error", ({ detail }) => note(`shaka ${detail.code}`));
    window.player = player;
    await player.load(url).catch(({ code }) => note(`shaka ${code} at the start`));
  },
};

/** Same words for all three; the last fifty. */
function note(text) {
  seen.errors.push(`${((performance.now() - startedMs) / 1000).toFixed(1)} s: ${text}`);
  seen.errors.splice(0, seen.errors.length - 50);
}

function bufferedAhead() {
  const { buffered, currentTime } = video;
  for (let i = 0; i < buffered.length; i++)
    if (buffered.start(i) <= currentTime + 0.1 && buffered.end(i) >= currentTime)
      return buffered.end(i) - currentTime;
  return 0;
}

let lastTime = 0;
let standsSinceMs = null;
setInterval(() => {
  const nowMs = performance.now();
  const { currentTime } = video;
  if (currentTime !== lastTime) {
    seen.firstFrameMs ??= Math.round(nowMs - startedMs);
    standsSinceMs = null;
  } else if (seen.firstFrameMs !== null) {
    standsSinceMs ??= nowMs;
    seen.longestStallMs = Math.max(seen.longestStallMs, Math.round(nowMs - standsSinceMs));
  }
  lastTime = currentTime;
  if (seen.firstFrameMs !== null)
    seen.leastBufferSeconds = Math.min(seen.leastBufferSeconds ?? Number.POSITIVE_INFINITY, bufferedAhead());
}, 50);

window.play = (kind, url, settings) => {
  window.settings = settings;
  players[kind](url);
};
/** What the viewer sees, with the worst of it since the last mark. */
window.look = () => ({
  ...seen,
  errors: [...seen.errors],
  timeSeconds: video.currentTime,
  bufferSeconds: bufferedAhead(),
});
window.mark = () => {
  seen.longestStallMs = 0;
  seen.leastBufferSeconds = null;
  seen.errors.length = 0;
};
