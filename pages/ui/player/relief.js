// A loss in relief on a plain canvas: the net of charts/relief.py's own tables, from behind to the front, so that what is
// nearer covers what is farther; level lines on the floor below, the run above. It follows the player's epoch, and is turned
// by two sliders and by the pointer. Nothing of it moves by itself.

const TURNS = 0.5; // degrees that a pixel turns it
const ROOM = 12; // pixels above and below it, for the numbers at its sides
const FADED = 0.3; // of what was seen before
const THROUGH = 0.8; // of a square of the net is paper: the level lines below shine through it

const reliefs = new WeakMap();

function create(root) {
  const $ = (name) => root.querySelector(`[data-part="${name}"]`);
  const canvas = $('canvas'), sliders = { turn: $('turn'), tilt: $('tilt') };
  const pen = canvas.getContext('2d');
  let said = null, table = null, waiting = 0;

  const ask = () => { waiting ||= requestAnimationFrame(draw); };

  function draw() {
    waiting = 0;
    const width = canvas.clientWidth, { height } = said, full = height + 2 * ROOM, scale = window.devicePixelRatio || 1;
    if (!width) return;
    if (canvas.width !== Math.round(width * scale) || canvas.height !== Math.round(full * scale)) {
      canvas.width = Math.round(width * scale);
      canvas.height = Math.round(full * scale);
    }
    pen.setTransform(scale, 0, 0, scale, 0, ROOM * scale);
    pen.clearRect(0, -ROOM, width, full);
    pen.lineJoin = 'round';

    const epoch = +document.body.dataset.epoch || 0, seen = +document.body.dataset.seen || 0;
    const { u, v, h, top, mu, mv, low, zoom } = table.run;
    const row = Math.min(epoch >= said.last ? u.length - 1 : Math.floor(epoch / said.stride), u.length - 1);
    const grown = zoom?.[row] || 1, highest = top[row];
    const slid = [mu, mv].map((column) => Math.round((512 * column[row]) / grown) / 512);
    const [round, up] = [sliders.turn, sliders.tilt].map((slider) => (+slider.value * Math.PI) / 180);
    const [turnedX, turnedY, fromAbove, fromAside] = [Math.cos(round), Math.sin(round), Math.sin(up), Math.cos(up)];
    const across = said.seen * Math.max(1, width / height / said.stretched), down = said.seen * Math.max(1, height / width);
    const right = (a, b) => (width / 2) * (1 + (a * turnedX + b * turnedY) / across);
    const rise = (a, b, c) => (height / 2)
      * (1 - ((b * turnedX - a * turnedY) * fromAbove + said.raised * (c - 0.3) * fromAside) / down);
    const to = (a, b, c, first) => pen[first ? 'moveTo' : 'lineTo'](right(a, b), rise(a, b, c));
    const { colours, floor } = said;

    // the floor and its level lines
    pen.strokeStyle = colours.line;
    pen.lineWidth = 1;
    pen.beginPath();
    [[-1, -1], [1, -1], [1, 1], [-1, 1]].forEach(([a, b], n) => to(a, b, floor, !n));
    pen.closePath();
    pen.stroke();
    const lines = table.lines;
    for (let level = 0, i = 0; i < lines.part.length; level = lines.level[i]) {
      pen.strokeStyle = said.levels[level];
      pen.beginPath();
      let begins = true;
      for (; i < lines.part.length && lines.level[i] === level; i++) {
        const a = lines.du[i] + slid[0], b = lines.dv[i] + slid[1];
        const inside = Math.abs(a) <= 1 && Math.abs(b) <= 1;
        if (inside) to(a, b, floor, begins || lines.part[i] !== lines.part[i - 1]);
        begins = !inside;
      }
      pen.stroke();
    }

    const way = table.path;
    function walked(until, alpha, thick, heightOf) {
      pen.globalAlpha = alpha;
      pen.strokeStyle = colours.run;
      pen.lineWidth = thick;
      pen.beginPath();
      for (let i = 0; i < way.epoch.length && way.epoch[i] <= until; i++) {
        to(way.u[i] / grown, way.v[i] / grown, heightOf(i), !i);
      }
      pen.stroke();
      pen.globalAlpha = 1;
    }
    const below = () => floor, above = (i) => way.h[i] / highest;
    walked(seen, FADED, 1.2, below);
    walked(epoch, 1, 1.2, below);

    // the net: rows and columns from behind to the front
    const knots = said.knots, places = Array.from({ length: knots }, (_, i) => (2 * i) / (knots - 1) - 1);
    const steep = (grown * grown) / highest, lowest = Math.round((512 * low[row]) / highest) / 512;
    const heights = table.net
      ? Float64Array.from(table.net.loss, (loss) => loss / highest)
      : Float64Array.from({ length: knots * knots }, (_, n) => {
        const a = places[n % knots] - slid[0], b = places[Math.floor(n / knots)] - slid[1];
        return lowest + steep * (said.uu * a * a + said.vv * b * b + said.uv * a * b);
      });
    const behindFirst = (falls) => Array.from({ length: knots - 1 }, (_, i) => (falls ? knots - 2 - i : i));
    const columns = behindFirst(turnedY < 0), rows = behindFirst(turnedX > 0);
    pen.lineWidth = 0.6;
    pen.strokeStyle = colours.line;
    pen.fillStyle = colours.paper;
    for (const j of rows) {
      for (const i of columns) {
        let corners = [[i, j], [i + 1, j], [i + 1, j + 1], [i, j + 1]].map(([a, b]) => [places[a], places[b], heights[b * knots + a]]);
        if (corners.some(([, , c]) => c > 1)) corners = within(corners);
        if (corners.length < 3) continue;
        pen.beginPath();
        corners.forEach(([a, b, c], n) => to(a, b, c, !n));
        pen.closePath();
        pen.globalAlpha = THROUGH;
        pen.fill();
        pen.globalAlpha = 1;
        pen.stroke();
      }
    }

    // the optimum, the run and where it is
    if (said.lowest && seen >= said.answer_from) {
      const [x, y] = [right(0, 0), rise(0, 0, 0)];
      pen.fillStyle = colours.optimum;
      pen.beginPath();
      [[0, -8], [6, 0], [0, 8], [-6, 0]].forEach(([a, b], n) => pen[n ? 'lineTo' : 'moveTo'](x + a, y + b));
      pen.fill();
    }
    const here = [u[row] / grown, v[row] / grown];
    pen.strokeStyle = colours.run;
    pen.lineWidth = 1;
    pen.setLineDash([2, 3]);
    pen.beginPath();
    to(...here, floor, true);
    to(...here, h[row] / highest);
    pen.stroke();
    pen.setLineDash([]);
    walked(seen, FADED, 2, above);
    walked(epoch, 1, 2.5, above);
    pen.fillStyle = colours.run;
    pen.strokeStyle = colours.paper;
    pen.lineWidth = 1.5;
    pen.beginPath();
    pen.arc(right(...here), rise(...here, h[row] / highest), 6, 0, 2 * Math.PI);
    pen.fill();
    pen.stroke();

    // the two sides that are nearest to who looks
    pen.fillStyle = colours.ink;
    pen.textAlign = 'center';
    pen.textBaseline = 'middle';
    for (const [axis, near] of [[0, turnedX > 0 ? -1 : 1], [1, turnedY > 0 ? 1 : -1]]) {
      const [from, until] = said.ends[axis];
      for (const [share, out, text] of [[-0.86, 1.14, from], [0, 1.3, said.names[axis]], [0.86, 1.14, until]]) {
        const number = typeof text === 'number';
        const place = axis ? [out * near, share] : [share, out * near];
        pen.font = `${number ? 10 : 12}px ${getComputedStyle(canvas).fontFamily}`;
        pen.globalAlpha = number ? 0.75 : 1;
        const middle = (from + until) / 2;
        pen.fillText(number ? short(middle + grown * (text - middle)) : text, right(...place), rise(...place, floor));
      }
    }
    pen.globalAlpha = 1;
  }

  // A square cut off where it leaves the box at its top.
  function within(corners) {
    return corners.flatMap((one, n) => {
      const next = corners[(n + 1) % corners.length], kept = one[2] <= 1 ? [one] : [];
      if ((one[2] > 1) === (next[2] > 1)) return kept;
      const share = (1 - one[2]) / (next[2] - one[2]);
      return [...kept, [0, 1, 2].map((k) => one[k] + share * (next[k] - one[k]))];
    });
  }

  function turned() {
    for (const [name, slider] of Object.entries(sliders)) {
      $(`${name}-said`).textContent = `${short(+slider.value)}°`;
      slider.setAttribute('aria-valuetext', `${short(+slider.value)} degrees`);
    }
    ask();
  }
  for (const slider of Object.values(sliders)) slider.oninput = turned;

  let grip = null;
  canvas.onpointerdown = (event) => {
    canvas.setPointerCapture(event.pointerId);
    grip = { x: event.clientX, y: event.clientY, from: [+sliders.turn.value, +sliders.tilt.value] };
  };
  canvas.onpointermove = (event) => {
    if (!grip || !event.buttons) return;
    const [round, up] = [TURNS * (event.clientX - grip.x), event.pointerType === 'touch' ? 0 : TURNS * (event.clientY - grip.y)];
    sliders.turn.value = ((grip.from[0] + round + 540) % 360 + 360) % 360 - 180;
    sliders.tilt.value = grip.from[1] + up;
    turned();
  };
  canvas.onpointerup = canvas.onpointercancel = () => { grip = null; };

  document.addEventListener('moved', ask); // by the player
  const size = new ResizeObserver(ask);
  size.observe(canvas);

  return {
    update({ table: fresh, ...others }) {
      const first = !said;
      [said, table] = [others, fresh];
      canvas.style.height = `${said.height + 2 * ROOM}px`;
      canvas.setAttribute('aria-label', said.text);
      if (first) [sliders.turn.value, sliders.tilt.value] = said.view;
      turned();
    },
    remove() {
      cancelAnimationFrame(waiting);
      size.disconnect();
      document.removeEventListener('moved', ask);
    },
  };
}

export default function ({ parentElement, data }) {
  let relief = reliefs.get(parentElement);
  if (!relief) reliefs.set(parentElement, (relief = create(parentElement)));
  clearTimeout(relief.leaving);
  const { table, ...said } = unpacked(data);
  const parts = {};
  for (const [name, values] of Object.entries(table)) {
    const [part, column] = name.split('.');
    (parts[part] ??= {})[column] = values;
  }
  relief.update({ ...said, table: parts });
  return () => {
    // called before every update too; only an element that is really gone ends it
    relief.leaving = setTimeout(() => {
      if (!(parentElement.host || parentElement).isConnected) {
        relief.remove();
        reliefs.delete(parentElement);
      }
    }, 0);
  };
}
