// The learning rate on a logarithmic track: zones of this problem, its limit, and the marked stops.
// It reports a rate when the thumb is let go or a stop is chosen; the text field above it holds the exact value.

const strips = new WeakMap();
const log = Math.log10;

function create(root) {
  const $ = (name) => root.querySelector(`[data-part="${name}"]`);
  const slider = $('slider'), zones = $('zones'), names = $('names'), marks = $('marks'), said = $('said'), stops = $('stops');
  let data = null, send = null, under = 0; // the rate under the thumb

  const share = (rate) => (log(rate) - log(data.low)) / (log(data.high) - log(data.low));
  const rateAt = (part) => 10 ** (log(data.low) + part * (log(data.high) - log(data.low)));
  const typed = (rate) => Number(rate.toPrecision(3));

  // Where the curvature changes from place to place, the player says what holds where its run is: 0 where no rate is too large.
  const limitHere = () => (data.limit ? 0 : +document.body.dataset.limitHere || 0);
  const zonesHere = () => {
    const limit = limitHere();
    if (limit) {
      return [
        { name: 'steady', label: 'steady here', to: limit, says: 'short enough for the curvature where the run is' },
        { name: 'diverges', label: 'too large here', to: null, says: 'leaves the place where the run is' },
      ];
    }
    const none = document.body.dataset.limitHere !== undefined && !data.limit;
    return none ? [{ name: 'none', label: 'no limit here', to: null, says: 'the loss does not curve upwards here' }] : data.zones;
  };

  function say(rate) {
    under = rate;
    let text = `η = ${short(rate)}`;
    if (data.limit) {
      const part = rate / data.limit;
      const zone = data.zones.find(({ to }) => to === null || rate <= to * (1 + 1e-12));
      if (Math.abs(part - 1) < 1e-9) text += ': exactly the limit, where the error neither grows nor shrinks';
      else text += `: ${part < 1 ? `${percent(part)} of` : `${times(part)} ×`} the limit, ${zone.says}`;
    }
    const here = limitHere();
    if (here) text += `: ${rate < here ? `${percent(rate / here)} of` : `${times(rate / here)} ×`} the limit here, ${short(here)}`;
    if (data.wait && rate === data.rate) text += `. ${data.wait}`;
    said.textContent = text;
    slider.setAttribute('aria-valuetext', text);
  }

  // The charts draw where the rate under the thumb would lead: the player hears of it.
  function aim(rate) {
    document.body.dataset.rate = rate;
    document.dispatchEvent(new Event('rate'));
  }

  slider.oninput = () => {
    const rate = typed(rateAt(+slider.value / 1000));
    say(rate);
    if (data.hint) said.textContent += `. ${data.hint}`;
    aim(rate);
  };
  slider.onchange = () => send('rate', typed(rateAt(+slider.value / 1000)));

  function element(tag, className, text, style = {}) {
    const made = document.createElement(tag);
    made.className = className;
    made.textContent = text;
    Object.assign(made.style, style);
    return made;
  }

  function drawZones() {
    zones.replaceChildren();
    names.replaceChildren();
    let from = 0;
    for (const { name, label, to, says } of zonesHere()) {
      const until = to === null ? 1 : Math.min(1, Math.max(0, share(to)));
      const width = `${100 * (until - from)}%`;
      const block = element('div', `zone ${name}`, '', { width });
      block.title = says;
      zones.append(block);
      if (until > from) names.append(element('span', `name ${name}`, label ?? name, { left: `${50 * (from + until)}%` }));
      from = until;
    }
  }

  const moved = () => {
    if (!data || data.limit) return;
    drawZones();
    say(under);
  };
  document.addEventListener('here', moved);

  const update = (fresh, setTriggerValue) => {
    data = fresh;
    send = setTriggerValue;
    marks.replaceChildren();
    drawZones();
    for (const { rate, label } of data.stops) {
      const mark = element('i', 'mark', '', { left: `${100 * share(rate)}%` });
      mark.title = label;
      marks.append(mark);
    }
    slider.value = 1000 * Math.min(1, Math.max(0, share(data.rate)));
    say(data.rate);
    aim(data.rate);
    stops.replaceChildren(...data.stops.map(({ label, rate, hint }) => {
      const button = document.createElement('button');
      button.append(element('span', '', label), element('b', '', short(rate)));
      button.title = hint;
      button.setAttribute('aria-pressed', String(rate === data.rate));
      button.onclick = () => send('rate', rate);
      return button;
    }));
    $('reason').textContent = data.reason || '';
    $('reason').hidden = !data.reason;
  };
  return { update, remove: () => document.removeEventListener('here', moved) };
}

export default function ({ parentElement, data, setTriggerValue }) {
  let strip = strips.get(parentElement);
  if (!strip) strips.set(parentElement, (strip = create(parentElement)));
  strip.update(data, setTriggerValue);
  // called before every update too, which sets it again at once
  return () => {
    delete document.body.dataset.rate;
    setTimeout(() => {
      if ((parentElement.host || parentElement).isConnected) return;
      strip.remove();
      strips.delete(parentElement);
    }, 0);
  };
}
