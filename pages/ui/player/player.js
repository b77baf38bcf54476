// The transport: it owns the epoch. On every frame it moves the `epoch` inputs of the page's charts, writes the
// numbers of this epoch into every element marked data-live, lights those marked data-lit, and says the verdict. It
// draws no chart.

const SPEEDS = [['¼×', 0.25], ['½×', 0.5], ['1×', 1], ['2×', 2], ['4×', 4], ['all at once', Infinity]];
const SECONDS_AT_1X = 6; // a whole run takes at most as long,
const SLOWEST = 2.5; // and shows at least so many epochs a second
const RESTS = 0.005; // of the way that an error or a parameter goes: nearer to its end it rests,
const AT_REST = 0.1; // and of the time of play so much is left for that

const players = new WeakMap();

const NARROW = 640; // pixels of room, as in look.css

const SWIPE = 6; // pixels: a finger that goes further does not tap,
const TAP = 500; // nor one that stays longer, in milliseconds

const ROUNDING = 2e-7; // of numbers with 32 bits: a sum that is no more of its parts is 0

// The table's columns with those that are left to the browser: see `table` in player.py.
function columnsOf({ table, rows, sums, stride, last }) {
  const columns = { ...table };
  columns.epoch ??= Float64Array.from({ length: rows }, (_, r) => Math.min(r * stride, last));
  if (columns.rmse) columns.next_rmse ??= columns.rmse.map((_, r) => columns.rmse[Math.min(r + 1, rows - 1)]);
  for (const [name, parts] of Object.entries(sums)) {
    columns[name] = Float64Array.from({ length: rows }, (_, r) => {
      const terms = parts.map(([part, weight]) => weight * columns[part][r]);
      const sum = terms.reduce((all, one) => all + one, 0);
      return Math.abs(sum) <= ROUNDING * Math.max(...terms.map(Math.abs)) ? 0 : sum;
    });
  }
  return columns;
}

// How many seconds of play each row stays, at 1×: all alike up to where error and parameters rest, and the others a
// moment together. Else a run that arrives at epoch 27 of 1,000 would be over in the first blink.
function secondsOf(columns, rows) {
  let moving = 0;
  for (const [name, values] of Object.entries(columns)) {
    if (name !== 'rmse' && !/^p\d+$/.test(name)) continue;
    const places = name === 'rmse' ? Array.from(values, (value) => Math.log(value)) : Array.from(values);
    const seen = places.filter(Number.isFinite);
    const whole = seen.reduce((a, b) => Math.max(a, b), -Infinity) - seen.reduce((a, b) => Math.min(a, b), Infinity);
    const away = (place) => !(Math.abs(place - places[rows - 1]) <= RESTS * whole);
    const last = places.findLastIndex(away) + 1;
    moving = Math.max(moving, last);
  }
  const steps = Math.max(1, rows - 1), early = moving && moving < steps / 2;
  const each = Math.min(1 / SLOWEST, early ? (1 - AT_REST) * SECONDS_AT_1X / moving : SECONDS_AT_1X / steps);
  return Float64Array.from({ length: steps }, (_, r) => (early && r >= moving ? AT_REST * SECONDS_AT_1X / (steps - moving) : each));
}

function create(root) {
  const $ = (name) => root.querySelector(`[data-part="${name}"]`);
  const state = {
    id: null, playing: false, position: 0, epoch: 0, seen: 0, last: 0, aim: 0, planned: 1, stride: 1, complete: true,
    columns: {}, rows: 0, seconds: [], names: [], rate: 0, preview: 0, changed: false, speed: 1, tick: 0, then: 0, said: null,
  };
  const buttons = Object.fromEntries(
    ['start', 'back10', 'back', 'play', 'forward', 'forward10', 'end', 'continue', 'offers', 'note'].map((n) => [n, $(n)]));
  const slider = $('epoch'), speed = $('speed'), count = $('count'), verdict = $('verdict'), summary = $('summary');

  for (const [label, value] of SPEEDS) speed.add(new Option(label, String(value)));
  const still = window.matchMedia('(prefers-reduced-motion: reduce)').matches;
  speed.value = still ? 'Infinity' : '1';
  state.speed = still ? Infinity : 1;

  const row = (epoch) => (epoch >= state.last ? state.rows - 1 : Math.floor(epoch / state.stride));
  const shownEpoch = (epoch) => {
    const inside = Math.max(0, Math.min(state.last, Math.round(epoch)));
    return inside >= state.last ? state.last : inside - (inside % state.stride);
  };

  const span = () => (state.complete ? state.last : state.planned); // what the slider reaches over

  function move(name, value) {
    for (const input of document.querySelectorAll(`.stVegaLiteChart input[name="${name}"]`)) {
      if (+input.value !== value) {
        input.value = value;
        input.dispatchEvent(new Event('input', { bubbles: true }));
      }
    }
    if (document.body.dataset[name] === String(value)) return;
    document.body.dataset[name] = value; // for what draws itself
    document.dispatchEvent(new Event('moved'));
  }

  // Where the rate on the strip is not that of the run, charts draw where it would lead, and the run's verdict waits.
  function foresee() {
    const rate = +document.body.dataset.rate || 0;
    state.preview = state.rate && rate !== state.rate ? rate : 0;
    move('preview', state.preview);
  }

  // The strip of rates draws the limit that holds at this epoch, where that changes with the place: it hears of it.
  function tellHere(limit) {
    const { dataset } = document.body;
    if (dataset.limitHere === (limit === undefined ? undefined : String(limit))) return;
    if (limit === undefined) delete dataset.limitHere;
    else dataset.limitHere = limit;
    document.dispatchEvent(new Event('here'));
  }

  function sentence(r) {
    const template = state.templates[state.columns.template[r]];
    const epoch = state.columns.epoch[r];
    const written = {
      epoch: () => whole(epoch), next: () => whole(epoch + 1), percent: () => significant(state.columns.percent[r], 3),
    };
    // {name} is written with six digits, {name:3} with three; beside its {next_name} with as many as part the two
    const digitsOf = (name) => {
      const other = name.startsWith('next_') ? name.slice(5) : `next_${name}`;
      return state.columns[other] ? digitsBeside(state.columns[name][r], state.columns[other][r]) : 6;
    };
    return template.replace(/\{(\w+)(?::(\d+))?\}/g, (_, name, digits) =>
      (written[name] ?? (() => significant(state.columns[name][r], +(digits ?? digitsOf(name)))))());
  }

  function draw() {
    const r = row(state.epoch);
    if (!state.rows) return;
    slider.value = state.epoch;
    slider.setAttribute('aria-valuetext', state.names[r] ?? `epoch ${whole(state.epoch)} of ${whole(state.planned)}`);
    count.textContent = state.names[r] ?? `${whole(state.epoch)} / ${whole(state.planned)}`;
    verdict.textContent = sentence(r);
    const atEnd = state.epoch >= state.last && state.complete;
    summary.textContent = atEnd && !state.preview && !state.changed ? state.atSight : '';
    summary.title = state.summary === state.atSight ? '' : state.summary; // with all its digits
    summary.hidden = !summary.textContent;
    verdict.hidden = !summary.hidden && state.last > 0;
    buttons.offers.hidden = !atEnd || !buttons.offers.childElementCount;
    buttons.continue.hidden = !state.continues || state.playing || state.epoch < 1 || !state.trained;
    // what comes with the end of a run stays when one goes back in it
    if (atEnd && state.trained && !state.playing) {
      const waiting = document.querySelectorAll('[data-ended]:not(.lit)');
      for (const one of waiting) one.classList.add('lit');
      if (waiting.length) document.dispatchEvent(new Event('judged'));
    }
    for (const element of document.querySelectorAll('[data-live]')) {
      const column = state.columns[element.dataset.live];
      if (!column) continue;
      const text = significant(column[r], +(element.dataset.digits || 6));
      if (element.textContent !== text) element.textContent = text;
      if (element.dataset.full !== undefined) element.title = significant(column[r]);
    }
    tellHere(state.columns.limit_here?.[r]);
    for (const element of document.querySelectorAll('[data-lit]')) {
      const column = state.columns[element.dataset.lit];
      if (!column) continue;
      const { litValue, litFrom } = element.dataset;
      const lit = litFrom === undefined ? column[r] === +litValue : column[r] >= +litFrom;
      if (element.classList.contains('lit') === lit) continue;
      element.classList.toggle('lit', lit);
      if (litFrom === undefined) lit ? element.setAttribute('aria-current', 'step') : element.removeAttribute('aria-current');
    }
  }

  function show(epoch) {
    state.epoch = shownEpoch(epoch);
    move('epoch', state.epoch);
    draw();
  }

  function setPlaying(playing) {
    state.playing = playing;
    buttons.play.setAttribute('aria-label', playing ? 'Pause' : 'Play');
    buttons.play.title = playing ? 'Pause (space)' : 'Play (space)';
    root.querySelector('[data-part="icon-play"]').toggleAttribute('hidden', playing);
    root.querySelector('[data-part="icon-pause"]').toggleAttribute('hidden', !playing);
    verdict.setAttribute('aria-live', playing ? 'off' : 'polite');
    if (!playing) {
      state.seen = Math.max(state.seen, state.epoch);
      move('seen', state.seen);
    }
    state.then = 0;
    cancelAnimationFrame(state.tick);
    if (playing) state.tick = requestAnimationFrame(frame);
    draw();
  }

  // The place after so many seconds of play; of a run that is still trained nobody knows yet where it will move.
  function later(position, left) {
    if (!state.complete) return Math.min(state.last, position + left * Math.max(SLOWEST, span() / SECONDS_AT_1X));
    while (position < state.last) {
      const r = row(position), next = Math.min(state.last, (r + 1) * state.stride), from = r * state.stride;
      const rest = state.seconds[r] * (next - position) / (next - from);
      if (rest > left) return position + (next - position) * left / rest;
      [position, left] = [next, left - rest];
    }
    return state.last;
  }

  function frame(now) {
    const elapsed = state.then ? Math.min(0.25, (now - state.then) / 1000) : 0;
    state.then = now;
    state.position = state.speed === Infinity ? state.last : later(state.position, elapsed * state.speed);
    const epoch = shownEpoch(Math.floor(state.position));
    if (epoch !== state.epoch) show(epoch);
    if (state.epoch >= state.last && state.complete) {
      setPlaying(false);
      if (page?.clientWidth <= NARROW) setTimeout(bringIntoView, 100); // beside a verdict there is less room
    } else state.tick = requestAnimationFrame(frame);
  }

  function seek(epoch) {
    if (state.playing) setPlaying(false);
    state.aim = epoch; // of a run that is still trained, maybe beyond what has come of it
    state.position = shownEpoch(epoch);
    show(state.position);
    if (state.epoch > state.seen) {
      state.seen = state.epoch;
      move('seen', state.seen);
    }
  }

  const step = (rows) => seek(
    rows > 0 && row(state.epoch) + rows >= state.rows - 1 ? state.last
      : (Math.max(0, row(state.epoch) + rows)) * state.stride);
  function toggle() {
    if (!state.playing && state.epoch >= state.last && state.complete) {
      state.position = 0;
      show(0);
    }
    state.position = state.aim = state.epoch;
    setPlaying(!state.playing);
  }

  const actions = {
    start: () => seek(0), back10: () => step(-10), back: () => step(-1), play: toggle,
    forward: () => step(1), forward10: () => step(10), end: () => seek(span()),
  };
  for (const [name, action] of Object.entries(actions)) buttons[name].onclick = action;
  slider.oninput = () => seek(+slider.value);
  // On a phone the bar shows the least: the other keys, those of the page beside the player too, and the rest of what is
  // said wait behind one key.
  function unfold(open) {
    root.querySelector('.transport').classList.toggle('open', open);
    document.documentElement.classList.toggle('lab-unfolded', open);
    $('rest').setAttribute('aria-expanded', String(open));
  }
  const toggleRest = () => unfold($('rest').getAttribute('aria-expanded') !== 'true');
  $('rest').onclick = toggleRest;
  root.querySelector('.said').onclick = () => { if ($('rest').checkVisibility()) toggleRest(); };
  unfold(false);
  speed.onchange = () => { state.speed = +speed.value; };
  buttons.continue.onclick = () => { setPlaying(false); state.send('continue_from', state.epoch); };

  const host = root.host || root;
  const typing = 'input, textarea, select, button, a, summary, [contenteditable="true"], [role="slider"], [role="tab"], '
    + '[role="radio"], [role="option"], [role="combobox"], [role="menuitem"], [role="dialog"] *, .vega-bindings *';
  function key(event) {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    const path = event.composedPath();
    const own = path.includes(host);
    const toAnEnd = event.key === 'Home' || event.key === 'End';
    // Train and its like beside the player have no use for Home and End themselves
    const beside = toAnEnd && path[0] instanceof Element && path[0].closest('.st-key-buttons');
    if (!own && !beside && path[0] instanceof Element && path[0].matches(typing)) return;
    if (!state.trained) {
      if (toAnEnd) event.preventDefault(); // pressed too early they would scroll the page away from the player
      return;
    }
    if (own && path[0] === speed) return;
    const act = {
      ' ': actions.play, ArrowLeft: actions.back, ArrowRight: actions.forward, Home: actions.start, End: actions.end,
    }[event.key];
    if (!act) return;
    // in the player, space presses the button that has the focus
    if (event.key === ' ' && own && path[0] !== slider && path[0] !== buttons.play && path[0].matches?.('button')) return;
    event.preventDefault();
    act();
  }
  document.addEventListener('keydown', key);

  // A click on a plot: where on the plot's own rectangle, as shares from the left and from the bottom. A finger that
  // moves, or that rests for long, wants to scroll.
  let pressed = null;
  const press = (event) => { pressed = { x: event.clientX, y: event.clientY, at: event.timeStamp }; };
  document.addEventListener('pointerdown', press, true);
  function click(event) {
    const place = state.clicks && event.target.closest?.('[class*="st-key-click_"]');
    const away = pressed && Math.hypot(event.clientX - pressed.x, event.clientY - pressed.y);
    if (event.pointerType === 'touch' && pressed && (away > SWIPE || event.timeStamp - pressed.at > TAP)) return;
    const plot = place && event.target.closest('svg.marks')?.querySelector('.role-frame > g > path.background');
    if (!plot) return;
    const box = plot.getBoundingClientRect();
    const x = (event.clientX - box.left) / box.width, y = (box.bottom - event.clientY) / box.height;
    const name = [...place.classList].find((one) => one.startsWith('st-key-click_')).slice('st-key-click_'.length);
    if (x >= 0 && x <= 1 && y >= 0 && y <= 1) state.send('clicked', [x, y, state.epoch, name]);
  }
  document.addEventListener('click', click);
  function aimed() {
    foresee();
    draw();
  }
  document.addEventListener('rate', aimed);

  // The player lies over the foot of the page: what is scrolled to stays above it. See scroll-padding in look.css.
  const page = document.querySelector('[data-testid="stMain"]'), foot = host.closest('.st-key-transport');
  // On a phone the rate stands in it, see look.css; it leaves the foot of the window where the page ends.
  const place = () => document.documentElement.style.setProperty('--lab-foot', `${foot.getBoundingClientRect().top}px`);
  const height = new ResizeObserver(() => {
    page.style.scrollPaddingBottom = `${foot.offsetHeight + 8}px`;
    foot.style.setProperty('--lab-within', `-${foot.offsetHeight + 8}px`);
    place();
  });
  if (page && foot) {
    height.observe(foot);
    page.addEventListener('scroll', place, { passive: true });
    window.addEventListener('resize', place);
  }

  // Where no chart is seen in full, one is brought there, as little as that takes. On a phone two are, of the charts and
  // the box with the judgement, if they fit.
  function bringIntoView() {
    if (!page) return;
    const narrow = page.clientWidth <= NARROW;
    const seen = [...document.querySelectorAll(`.stVegaLiteChart${narrow ? ', .st-key-predict' : ''}`)]
      .map((one) => one.getBoundingClientRect());
    const above = parseFloat(getComputedStyle(page).scrollPaddingTop) || 0, below = (foot ?? host).getBoundingClientRect().top;
    const least = -page.scrollTop, most = page.scrollHeight - page.clientHeight - page.scrollTop;
    const inFull = (by) => seen.filter(({ top, bottom }) => top - by >= above - 1 && bottom - by <= below + 1).length;
    const ways = [0, ...seen.flatMap(({ top, bottom }) => [top - above, bottom - below])]
      .filter((by) => by >= least && by <= most).sort((a, b) => Math.abs(a) - Math.abs(b));
    const enough = Math.min(narrow ? 2 : 1, Math.max(...ways.map(inFull)));
    const by = enough ? ways.find((one) => inFull(one) >= enough) : seen[0] && seen[0].top - above;
    if (by) page.scrollBy({ top: by, behavior: still ? 'auto' : 'smooth' });
  }

  // a chart that was drawn anew, or whose data came late, starts at epoch 0: bring it back
  const watch = setInterval(() => {
    if (!state.rows) return;
    move('epoch', state.epoch);
    if (!state.playing) move('seen', state.seen);
    foresee();
    draw();
  }, 250);

  return {
    state,
    update(data, send) {
      state.columns = columnsOf(data);
      state.rows = data.rows;
      state.seconds = data.complete ? secondsOf(state.columns, state.rows) : [];
      Object.assign(state, {
        last: data.last, planned: data.planned, stride: data.stride, complete: data.complete,
        templates: data.templates, summary: data.summary, atSight: data.at_sight ?? data.summary, trained: data.trained, clicks: data.clicks,
        continues: data.continues, names: data.names, rate: data.rate, changed: data.changed, send,
      });
      foresee();
      slider.max = span();
      buttons.note.textContent = data.note;
      slider.step = 1;
      buttons.offers.replaceChildren(...data.offers.map(({ label, rate }) => {
        const button = document.createElement('button');
        button.textContent = label;
        button.className = 'text';
        button.onclick = () => send('rate', rate);
        return button;
      }));
      for (const [name, button] of Object.entries(buttons)) {
        if (button.tagName === 'BUTTON' && name !== 'continue') button.disabled = !data.trained;
      }
      slider.disabled = !data.trained;
      if (data.id !== state.id) {
        const first = state.id === null;
        state.id = data.id;
        state.position = data.from;
        state.seen = state.aim = data.from;
        state.epoch = -1;
        show(data.from);
        move('seen', state.seen);
        setPlaying(data.play);
        if (data.play && !first) {
          buttons.play.focus({ preventScroll: true });
          setTimeout(bringIntoView, 100); // when the question has folded
        }
      } else {
        state.position = Math.min(state.position, state.last);
        if (state.epoch > state.last) show(state.last);
        if (state.aim > state.epoch && !state.playing) seek(state.aim);
        draw();
      }
    },
    remove() {
      cancelAnimationFrame(state.tick);
      clearInterval(watch);
      height.disconnect();
      if (page) page.style.scrollPaddingBottom = '';
      page?.removeEventListener('scroll', place);
      window.removeEventListener('resize', place);
      document.removeEventListener('keydown', key);
      document.removeEventListener('pointerdown', press, true);
      document.removeEventListener('click', click);
      document.removeEventListener('rate', aimed);
      tellHere();
      document.documentElement.classList.remove('lab-unfolded');
    },
  };
}

export default function ({ parentElement, data, setTriggerValue }) {
  let player = players.get(parentElement);
  if (!player) players.set(parentElement, (player = create(parentElement)));
  clearTimeout(player.leaving);
  player.update(unpacked(data), setTriggerValue);
  return () => {
    // Streamlit calls this before every update too; only an element that is really gone ends the player
    player.leaving = setTimeout(() => {
      if (!(parentElement.host || parentElement).isConnected) {
        player.remove();
        players.delete(parentElement);
      }
    }, 0);
  };
}
