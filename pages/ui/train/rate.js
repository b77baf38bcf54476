// The learning rate on a logarithmic track: zones of this problem, its limit, and the marked stops.
// It reports a rate when the thumb is let go or a stop is chosen; the text field above it holds the exact value.

const strips = new WeakMap();
const log = Math.log10;

function create(root) {
  const $ = (name) => root.querySelector(`[data-part="${name}"]`);
  const slider = $('slider'), zones = $('zones'), names = $('names'), marks = $('marks'), said = $('said'), stops = $('stops');
  let data = null, send = null;

  const share = (rate) => (log(rate) - log(data.low)) / (log(data.high) - log(data.low));
  const rateAt = (part) => 10 ** (log(data.low) + part * (log(data.high) - log(data.low)));
  const typed = (rate) => Number(rate.toPrecision(3));

  function say(rate) {
    let text = `η = ${short(rate)}`;
    if (data.limit) {
      const part = rate / data.limit;
      const zone = data.zones.find(({ to }) => to === null || rate <= to * (1 + 1e-12));
      if (Math.abs(part - 1) < 1e-9) text += ': exactly the limit, where the error neither grows nor shrinks';
      else text += `: ${part < 1 ? `${percent(part)} of` : `${times(part)} ×`} the limit, ${zone.says}`;
    }
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

  return (fresh, setTriggerValue) => {
    data = fresh;
    send = setTriggerValue;
    zones.replaceChildren();
    names.replaceChildren();
    marks.replaceChildren();
    let from = 0;
    for (const { name, to, says } of data.zones) {
      const until = to === null ? 1 : Math.min(1, Math.max(0, share(to)));
      const width = `${100 * (until - from)}%`;
      const block = element('div', `zone ${name}`, '', { width });
      block.title = says;
      zones.append(block);
      if (until > from) names.append(element('span', `name ${name}`, name, { left: `${50 * (from + until)}%` }));
      from = until;
    }
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
}

export default function ({ parentElement, data, setTriggerValue }) {
  let update = strips.get(parentElement);
  if (!update) strips.set(parentElement, (update = create(parentElement)));
  update(data, setTriggerValue);
  // called before every update too, which sets it again at once
  return () => { delete document.body.dataset.rate; };
}
