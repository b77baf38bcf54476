// The slider of a page that stands alone: it moves every chart and says what the app's player says there.
(() => {
  const SECONDS = 6; // a whole run takes about as long,
  const SLOWEST = 2.5; // but short runs show at most so many rows a second
  const $ = (id) => document.getElementById(id);
  const { charts, epochs, names, said, at, seen: before } = JSON.parse($('data').textContent);
  const last = epochs.length - 1;
  const slider = $('slider'), play = $('play');
  const still = matchMedia('(prefers-reduced-motion: reduce)').matches;
  let seen = before, position = 0, then = 0, frame = 0;

  const views = [];
  [...document.querySelectorAll('.chart')].forEach(async (place, number) => {
    const { view } = await vegaEmbed(place, charts[number], { mode: 'vega-lite', renderer: 'svg', actions: false });
    views.push(view.resize()); // the legend may have been broken into rows by now
    show(+slider.value);
  });

  // a chart that does not change by epoch lacks the signals
  function set(view, name, value) {
    try {
      view.signal(name, value);
    } catch {
      return;
    }
  }

  function show(row) {
    seen = Math.max(seen, epochs[row]);
    slider.value = row;
    for (const view of views) {
      set(view, 'epoch', epochs[row]);
      set(view, 'seen', seen);
      view.run();
    }
    $('name').textContent = names[row];
    slider.setAttribute('aria-valuetext', names[row]);
    $('said').textContent = said[row];
  }

  function setPlaying(playing) {
    cancelAnimationFrame(frame);
    frame = then = 0;
    play.textContent = playing ? 'Pause' : 'Play';
    $('said').setAttribute('aria-live', playing ? 'off' : 'polite');
    if (playing) frame = requestAnimationFrame(tick);
  }

  function tick(now) {
    position += then ? Math.min(0.25, (now - then) / 1000) * Math.max(SLOWEST, last / SECONDS) : 0;
    if (still) position = last;
    then = now;
    const row = Math.min(last, Math.floor(position));
    if (row !== +slider.value) show(row);
    if (row < last) frame = requestAnimationFrame(tick);
    else setPlaying(false);
  }

  slider.max = last;
  slider.disabled = play.disabled = last < 1;
  slider.oninput = () => {
    setPlaying(false);
    show(+slider.value);
  };
  play.onclick = () => {
    if (frame) {
      setPlaying(false);
      return;
    }
    position = +slider.value >= last ? 0 : +slider.value;
    setPlaying(true);
  };
  setPlaying(false);
  show(at);
})();
