// Paper to draw data on. A click adds a point, a drag moves it, a double click removes it; the least-squares curve
// answers at once, here in the browser. Each finished change is sent to the page, which trains on it.

const SVG = 'http://www.w3.org/2000/svg';
const LEFT = 40, RIGHT = 10, TOP = 8, BOTTOM = [34, 44]; // pixels around the plot; below it, also in large type
const TICKS = [13, 18], TITLE = [28, 38]; // of its axis, below it
const STEPS = 120; // of a drawn curve
const ARROW = 1 / 100; // of an axis: how far an arrow key moves a point
const REST = 350; // milliseconds without a key after which a move by keys is done

const pads = new WeakMap();

// The least-squares polynomial, in powers of x as scaled to −1 … 1; null where many fit as well. Without an intercept in
// powers from the first on, of x over its largest.
function fitted(points, degree, intercept) {
  const xs = points.map(([x]) => x).filter((x) => intercept || x);
  if (new Set(xs).size < degree + intercept) return null;
  const low = Math.min(...xs), middle = intercept ? (low + Math.max(...xs)) / 2 : 0;
  const half = Math.max(...xs.map((x) => Math.abs(x - middle))) || 1;
  const powers = Array.from({ length: degree + intercept }, (_, k) => k + !intercept);
  const dot = (a, b) => a.reduce((sum, value, n) => sum + value * b[n], 0);
  // a column for each power and the target, each made orthogonal to those before it, twice: Gram and Schmidt lose no digit
  const columns = [...powers.map((k) => points.map(([x]) => ((x - middle) / half) ** k)), points.map(([, y]) => y)];
  const shares = columns.map(() => []);
  columns.forEach((column, i) => {
    for (let twice = 0; twice < 2; twice++) {
      for (let j = 0; j < i; j++) {
        const share = dot(column, columns[j]);
        shares[i][j] = (shares[i][j] ?? 0) + share;
        column.forEach((_, n) => { column[n] -= share * columns[j][n]; });
      }
    }
    shares[i][i] = Math.hypot(...column) || 1;
    column.forEach((_, n) => { column[n] /= shares[i][i]; });
  });
  const size = powers.length, weights = Array(size).fill(0);
  for (let i = size - 1; i >= 0; i--) {
    const rest = weights.slice(i + 1).reduce((sum, weight, j) => sum + weight * shares[i + 1 + j][i], 0);
    weights[i] = (shares[size][i] - rest) / shares[i][i];
  }
  return (x) => weights.reduceRight((sum, weight) => sum * ((x - middle) / half) + weight, 0) * ((x - middle) / half) ** powers[0];
}

function create(root) {
  const $ = (name) => root.querySelector(`[data-part="${name}"]`);
  const plot = $('plot'), axes = $('axes'), layer = $('points'), said = $('said');
  const state = { data: null, points: [], chosen: -1, edits: 0, dragged: null, added: 0, resting: 0, send: null };

  // on a projector the page is scaled up: pixels of the screen are then more than those of the drawing
  const zoom = () => plot.currentCSSZoom ?? 1;
  const inner = () => {
    const box = plot.getBoundingClientRect(), width = box.width / zoom(), height = box.height / zoom();
    return { width: Math.max(width - LEFT - RIGHT, 10), height: Math.max(height - TOP - BOTTOM[+state.data.large], 10) };
  };
  const place = ([x, y]) => {
    const { x0, x1, y0, y1 } = state.data, { width, height } = inner();
    return [LEFT + ((x - x0) / (x1 - x0)) * width, TOP + ((y1 - y) / (y1 - y0)) * height];
  };
  // a value as a pointer or a key can hit it: in hundredths of a tenth of the axis, inside the paper
  const snapped = (value, low, high) => {
    const decimals = Math.max(0, 3 - Math.ceil(Math.log10(high - low)));
    return +Math.min(high, Math.max(low, value)).toFixed(Math.min(decimals, 12));
  };
  const pointed = (event) => {
    const box = plot.getBoundingClientRect();
    return [(event.clientX - box.left) / zoom(), (event.clientY - box.top) / zoom()];
  };
  const valueAt = (event) => {
    const { x0, x1, y0, y1 } = state.data, { width, height } = inner(), [left, top] = pointed(event);
    return [
      snapped(x0 + ((left - LEFT) / width) * (x1 - x0), x0, x1),
      snapped(y1 - ((top - TOP) / height) * (y1 - y0), y0, y1),
    ];
  };
  const isHeldOut = (i) => state.data.held_out.includes(i) && state.points.length === state.data.points.length;
  const line = (predict) => {
    const { x0, x1, y0, y1 } = state.data, reach = 3 * (y1 - y0);
    return Array.from({ length: STEPS + 1 }, (_, i) => {
      const x = x0 + ((x1 - x0) * i) / STEPS;
      const y = Math.min(y1 + reach, Math.max(y0 - reach, predict(x)));
      return place([x, y]).map((v) => v.toFixed(1)).join(',');
    }).map((at, i) => (i ? 'L' : 'M') + at).join('');
  };

  function element(tag, attributes, parent) {
    const made = document.createElementNS(SVG, tag);
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    parent.append(made);
    return made;
  }

  function drawAxes() {
    const { x0, x1, y0, y1, titles } = state.data, { width, height } = inner();
    axes.replaceChildren();
    const step = (span) => {
      const power = 10 ** Math.floor(Math.log10(span / 5));
      return power * [1, 2, 5, 10].find((m) => span / (m * power) <= 6);
    };
    const ticks = (low, high) => {
      const by = step(high - low);
      return Array.from({ length: Math.floor(high / by) - Math.ceil(low / by) + 1 }, (_, i) => (Math.ceil(low / by) + i) * by);
    };
    const written = (value) => trimmed(significant(value));
    for (const x of ticks(x0, x1)) {
      const [at] = place([x, y0]);
      element('line', { class: 'grid', x1: at, x2: at, y1: TOP, y2: TOP + height }, axes);
      element('text', { x: at, y: TOP + height + TICKS[+state.data.large], 'text-anchor': 'middle' }, axes).textContent = written(x);
    }
    for (const y of ticks(y0, y1)) {
      const [, at] = place([x0, y]);
      element('line', { class: 'grid', x1: LEFT, x2: LEFT + width, y1: at, y2: at }, axes);
      element('text', { x: LEFT - 6, y: at + 3, 'text-anchor': 'end' }, axes).textContent = written(y);
    }
    element('text', { x: LEFT + width / 2, y: TOP + height + TITLE[+state.data.large], 'text-anchor': 'middle' }, axes).textContent = titles[0];
    const middle = TOP + height / 2;
    element('text', { x: 10, y: middle, 'text-anchor': 'middle', transform: `rotate(-90 10 ${middle})` }, axes).textContent = titles[1];
  }

  function drawPoints() {
    while (layer.children.length > state.points.length) layer.lastChild.remove();
    while (layer.children.length < state.points.length) {
      const group = element('g', { class: 'point', role: 'button', 'aria-roledescription': 'point' }, layer);
      element('circle', { class: 'reach', r: 14 }, group);
      element('path', { class: 'mark' }, group);
    }
    const focus = Math.max(0, state.chosen);
    [...layer.children].forEach((group, i) => {
      const [x, y] = state.points[i], held = isHeldOut(i);
      group.setAttribute('transform', `translate(${place([x, y]).map((v) => v.toFixed(2)).join(' ')})`);
      group.setAttribute('tabindex', i === focus ? 0 : -1);
      group.setAttribute('aria-label', `Point ${i + 1} of ${state.points.length}${held ? ', held out' : ''}: x ${trimmed(significant(x, 15))}, y ${trimmed(significant(y, 15))}`);
      group.classList.toggle('chosen', i === state.chosen);
      group.classList.toggle('held-out', held);
      const shape = held ? 'M-6,0L0,-6L6,0L0,6Z' : 'M5,0A5,5 0 1 1 -5,0A5,5 0 1 1 5,0Z';
      group.lastChild.setAttribute('d', shape);
    });
  }

  function drawCurves() {
    const { degree, intercept, start } = state.data, trained = state.points.filter((_, i) => !isHeldOut(i));
    const best = fitted(trained, degree, intercept);
    $('best').setAttribute('d', best ? line(best) : '');
    $('start').setAttribute('d', line((x) => start.reduceRight((sum, weight) => sum * x + weight, 0)));
    const count = `${state.points.length} points`;
    if (state.warning) said.textContent = state.warning;
    else if (!best) said.textContent = `${count} for ${degree + intercept} parameters: many curves fit equally well. Add points at other x.`;
    else {
      const error = Math.sqrt(trained.reduce((sum, [x, y]) => sum + (best(x) - y) ** 2, 0) / trained.length);
      said.textContent = `${count}. The best curve, dashed, has RMSE ${error < 1e-9 ? '0' : short(error, 4)}.`;
    }
  }

  function draw() {
    if (!state.data) return;
    const { colours } = state.data;
    for (const [name, colour] of Object.entries(colours)) root.querySelector('.pad').style.setProperty(`--${name}`, colour);
    drawAxes();
    drawPoints();
    drawCurves();
    $('remove').disabled = state.chosen < 0 || state.points.length <= state.data.fewest;
    $('add').disabled = state.points.length >= state.data.most;
    $('undo').disabled = !state.data.undo;
  }

  const redraw = (warning = '') => { state.warning = warning; draw(); };

  function done() {
    clearTimeout(state.resting);
    state.resting = 0;
    state.edits += 1;
    state.send('edit', { number: state.edits, points: state.points });
  }

  function focus(i) {
    state.chosen = i;
    draw();
    layer.children[i]?.focus({ preventScroll: true });
  }

  function add(point) {
    if (state.points.length >= state.data.most) return redraw(`There is room for ${state.data.most} points. Remove one first.`);
    state.points = [...state.points, point];
    state.added = performance.now();
    state.warning = '';
    focus(state.points.length - 1);
    done();
  }

  function remove(i) {
    if (i < 0) return;
    if (state.points.length <= state.data.fewest) return redraw(`A fit needs at least ${state.data.fewest} points. Add one first.`);
    const focused = layer.contains(root.activeElement ?? document.activeElement);
    state.points = state.points.filter((_, k) => k !== i);
    state.chosen = Math.min(i, state.points.length - 1);
    redraw();
    if (focused) layer.children[state.chosen]?.focus({ preventScroll: true });
    done();
  }

  const indexOf = (target) => [...layer.children].indexOf(target.closest?.('.point'));

  plot.addEventListener('pointerdown', (event) => {
    if (event.button) return;
    const i = indexOf(event.target);
    state.pressed = [event.clientX, event.clientY];
    if (i < 0) return;
    event.preventDefault();
    plot.setPointerCapture(event.pointerId);
    state.warning = '';
    focus(i);
    state.dragged = { i, moved: false };
  });
  plot.addEventListener('pointermove', (event) => {
    const drag = state.dragged;
    if (!drag) return;
    const [x, y] = state.pressed;
    if (!drag.moved && Math.hypot(event.clientX - x, event.clientY - y) < 3) return;
    drag.moved = true;
    state.points = state.points.map((point, k) => (k === drag.i ? valueAt(event) : point));
    drawPoints();
    drawCurves();
  });
  function letGo() {
    const drag = state.dragged;
    state.dragged = null;
    if (drag?.moved) done();
  }
  plot.addEventListener('pointerup', (event) => {
    if (state.dragged) return letGo();
    const [x, y] = state.pressed ?? [NaN, NaN];
    state.pressed = null;
    if (indexOf(event.target) < 0 && Math.hypot(event.clientX - x, event.clientY - y) < 8) add(valueAt(event));
  });
  plot.addEventListener('pointercancel', letGo);
  plot.addEventListener('dblclick', (event) => {
    event.preventDefault();
    if (performance.now() - state.added < 600) return; // the second click met the point that the first has made
    // the pointer was captured by the plot, so the point is found by its place
    const [left, top] = pointed(event);
    const found = state.points.map(place).findIndex(([x, y]) => Math.hypot(left - x, top - y) <= 14);
    if (found >= 0) remove(found);
  });
  layer.addEventListener('focusin', (event) => {
    const i = indexOf(event.target);
    if (i >= 0 && i !== state.chosen) { state.chosen = i; draw(); }
  });
  layer.addEventListener('keydown', (event) => {
    const i = indexOf(event.target);
    if (i < 0 || event.ctrlKey || event.metaKey || event.altKey) return;
    const { x0, x1, y0, y1 } = state.data, far = event.shiftKey ? 5 : 1;
    const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
    const name = event.key.toLowerCase();
    if (way) {
      const [x, y] = state.points[i];
      const moved = [
        way[0] ? snapped(x + way[0] * far * ARROW * (x1 - x0), x0, x1) : x,
        way[1] ? snapped(y + way[1] * far * ARROW * (y1 - y0), y0, y1) : y,
      ];
      state.points = state.points.map((point, k) => (k === i ? moved : point));
      redraw();
      clearTimeout(state.resting);
      state.resting = setTimeout(done, REST);
    } else if (event.key === 'Delete' || event.key === 'Backspace') remove(i);
    else if (name === 'n') focus((i + 1) % state.points.length);
    else if (name === 'p') focus((i + state.points.length - 1) % state.points.length);
    else if (name === 'a') addInTheMiddle();
    else return;
    event.preventDefault();
  });

  function addInTheMiddle() {
    const { x0, x1, y0, y1 } = state.data;
    add([snapped((x0 + x1) / 2, x0, x1), snapped((y0 + y1) / 2, y0, y1)]);
  }
  $('add').onclick = addInTheMiddle;
  $('remove').onclick = () => remove(state.chosen);
  $('undo').onclick = () => state.send('ask', `undo ${state.data.seen}`);
  $('over').onclick = () => state.send('ask', `over ${state.data.seen}`);

  const watch = new ResizeObserver(() => draw());
  watch.observe(plot);

  return {
    update(data, send) {
      const first = state.data === null;
      state.send = send;
      state.data = data;
      plot.parentElement.classList.toggle('large', data.large);
      if (first) state.edits = data.seen;
      // what was drawn since is newer than what the page knows
      if (data.seen >= state.edits && !state.dragged && !state.resting) {
        state.edits = data.seen;
        if (JSON.stringify(state.points) !== JSON.stringify(data.points)) {
          state.points = data.points;
          state.chosen = Math.min(state.chosen, state.points.length - 1);
          state.warning = '';
        }
      }
      draw();
    },
    remove() {
      clearTimeout(state.resting);
      watch.disconnect();
    },
  };
}

export default function ({ parentElement, data, setTriggerValue }) {
  let pad = pads.get(parentElement);
  if (!pad) pads.set(parentElement, (pad = create(parentElement)));
  clearTimeout(pad.leaving);
  pad.update(data, setTriggerValue);
  return () => {
    // Streamlit calls this before every update too; only an element that is really gone ends the pad
    pad.leaving = setTimeout(() => {
      if (!(parentElement.host || parentElement).isConnected) {
        pad.remove();
        pads.delete(parentElement);
      }
    }, 0);
  };
}
