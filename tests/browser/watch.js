// Counts, from inside the page, what a test asserts: animation frames in which a chart was painted, charts that were
// embedded, runs of the script that ended, and starts of the player. `watch.mark()` sets all to 0.
// `watch.hurry` is by how many milliseconds more each animation frame is told to be later than the one before.
// `watch.played` counts all animation frames while the player plays, `watch.calm` those since the server last said
// something. `watch.asked` counts what the visitor has asked the server for, `watch.answered` how much of it a run of the
// script has been through.
(() => {
  const CHART = 'svg.marks, canvas.marks';
  const watch = (window.watch = {
    frames: 0,
    played: 0,
    embeds: 0,
    runs: 0,
    starts: 0,
    asked: 0,
    answered: 0,
    hurry: 0,
    get calm() {
      look();
      return calm;
    },
    mark() {
      Object.assign(watch, { frames: 0, played: 0, embeds: 0, runs: 0, starts: 0 });
    },
  });
  let painted = false, playing = false, calm = 0, asked = false;

  function see(records) {
    for (const { target, type, attributeName, addedNodes } of records) {
      const element = target.nodeType === Node.ELEMENT_NODE ? target : target.parentElement;
      if (element?.closest?.(CHART)) painted = true;
      for (const node of addedNodes) {
        if (node.nodeType === Node.ELEMENT_NODE && (node.matches(CHART) || node.querySelector(CHART))) watch.embeds++;
      }
      if (type !== 'attributes' || !element) continue;
      if (attributeName !== 'aria-label' || element.dataset.part !== 'play') continue;
      playing = element.getAttribute(attributeName) === 'Pause';
      if (playing) watch.starts++;
    }
    if (painted || playing) look();
  }
  const everything = { subtree: true, childList: true, characterData: true, attributes: true };
  const observer = new MutationObserver(see);
  observer.observe(document, everything);

  // the player lives in a shadow tree, which an observer of the document does not see
  const attach = Element.prototype.attachShadow;
  Element.prototype.attachShadow = function (options) {
    const root = attach.call(this, options);
    observer.observe(root, everything);
    return root;
  };

  // Begin and end of a run are read off the websocket: when the browser is busy, the page never shows a short run.
  const RERUN = 11, TICK = 6; // in Streamlit's BackMsg.proto, and in its ClientState.proto what a clock asked for
  const STARTED = 4, FINISHED = 6, EARLY_FOR_RERUN = 2; // in its ForwardMsg.proto
  const Socket = window.WebSocket;
  window.WebSocket = class extends Socket {
    constructor(...parameters) {
      super(...parameters);
      let begun = (watch.asked = watch.answered = 0);
      this.addEventListener('message', ({ data }) => {
        calm = 0;
        look();
        if (!(data instanceof ArrayBuffer)) return;
        for (const [field, value] of fieldsOf(new Uint8Array(data))) {
          if (field === STARTED) begun = watch.asked;
          if (field !== FINISHED || value === EARLY_FOR_RERUN) continue;
          watch.runs++;
          watch.answered = begun;
        }
      });
    }

    send(data) {
      for (const [field, value] of data instanceof Uint8Array ? fieldsOf(data) : []) {
        if (field === RERUN && ![...fieldsOf(value)].some(([part, on]) => part === TICK && on)) watch.asked++;
      }
      super.send(data);
    }
  };

  // The fields of a message: a key, then a number or a length with so many bytes.
  function* fieldsOf(bytes) {
    let at = 0;
    const number = () => {
      let value = 0, factor = 1, byte;
      do {
        byte = bytes[at++];
        value += (byte & 127) * factor;
        factor *= 128;
      } while (byte > 127);
      return value;
    };
    while (at < bytes.length) {
      const key = number(), value = number(), long = (key & 7) === 2;
      yield [key >> 3, long ? bytes.subarray(at, at + value) : value];
      if (long) at += value;
    }
  }

  const real = window.requestAnimationFrame;
  let ahead = 0, last = 0;
  window.requestAnimationFrame = (callback) => real.call(window, (now) => {
    if (now !== last) ahead += watch.hurry; // one frame for all who asked for it
    last = now;
    callback(now + ahead);
  });

  // Frames are asked for while there is something to count: one that nobody asks for costs a page at rest nothing.
  function look() {
    asked ||= Boolean(requestAnimationFrame(tick));
  }

  function tick() {
    asked = false;
    if (painted) watch.frames++;
    if (playing) watch.played++;
    painted = false;
    calm++;
    if (playing || calm < 6) look();
  }
  look();
})();
