// The keys beside the player's own: P for projector mode and ? for the card everywhere; on a projector one for
// everything. A key presses the button that the page has for it, or tells the server what is wanted.

const PRESSES = {
  t: '.st-key-train', r: '.st-key-reset, .st-key-stop, .st-key-ask_again, .st-key-class_run', s: '.st-key-skip, .st-key-class_show',
  a: '.st-key-class_ask, .st-key-class_next', g: '.st-key-class_again',
};
const ANSWERS = '.st-key-answers [data-testid="stButton"]:not(.st-key-ask_again *, .st-key-skip *, .st-key-predict_another *) button';

// where a letter is typed, or chooses from a list
const TYPED_INTO = 'input:not([type=range], [type=checkbox], [type=radio], [type=button]), textarea, select, '
  + '[contenteditable="true"], [role="combobox"], [role="listbox"], [role="listbox"] *, [role="option"], '
  + '[role="menu"] *, [role="grid"], [role="grid"] *, [role="dialog"] *, [data-testid="stDataFrame"] *';
// the points of a class's board, each of which opens its run
const POINTS = '.st-key-class_board .mark-symbol path[aria-label]';
const FORMULA = '.st-key-numbers, .st-key-formula';
const DIALOG = '[role="dialog"][aria-modal="true"], [data-testid="stDialog"]';

const bars = new WeakMap();

// The word of the class that this tab teaches: in its sessionStorage, so that neither another tab nor whoever uses this computer
// next has it. A visit that begins anew is shown it, once.
const CLASS = 'gradient-descent-lab.class';
let shown = false;
function holdClass({ class: word }, send) {
  try {
    if (word) sessionStorage.setItem(CLASS, word);
    else if (word === '') sessionStorage.removeItem(CLASS);
    else if (!shown && sessionStorage.getItem(CLASS)) send('class', sessionStorage.getItem(CLASS));
    shown = true;
  } catch {
    // a frame for which the browser keeps nothing
  }
}

// The player lives in a tree of its own.
const playButton = () => [...document.querySelectorAll('.st-key-player *')]
  .map((element) => element.shadowRoot?.querySelector('[data-part="play"]')).find(Boolean);

const ROWS = [
  ['space', 'Play, pause', () => '.st-key-player'],
  ['← →', 'One step back, one step on', () => '.st-key-player'],
  ['Home End', 'To the start, to the end', () => '.st-key-player'],
  ['T', 'Train', () => PRESSES.t, true],
  ['1 – 9', 'Answer the question', () => '.st-key-answers:not(:has(.st-key-class))', true],
  ['S', 'Skip the question', () => '.st-key-answers:not(:has(.st-key-class_show))', true],
  ['R', 'Reset, stop, or ask again', () => '.st-key-reset, .st-key-stop, .st-key-ask_again, .st-key-answers:not(:has(.st-key-class))', true],
  ['C', 'With a class: phones answer', (data) => data.may_teach, true],
  ['A', 'Ask the class, or the next question', () => PRESSES.a, true],
  ['S', 'Show the answers of the class', () => '.st-key-class_show', true],
  ['G', 'Ask the class again', () => '.st-key-class_again', true],
  ['R', 'Run it for the class', () => '.st-key-class_run', true],
  ['+ −', 'Learning rate × 2, ÷ 2', (data) => data.rate !== null, true],
  ['F', 'Formula and numbers, and away again', () => FORMULA, true],
  ['N', (data) => `Next: ${data.following}`, () => true, true],
  ['P', (data) => (data.projector ? 'Leave projector mode' : 'Projector mode: large type'), () => true],
  ['?', 'This card; Esc closes it', () => true],
];

function create(root) {
  const $ = (name) => root.querySelector(`[data-part="${name}"]`);
  const card = $('card'), host = root.host || root;
  let data = {}, send = () => {};

  function open() {
    $('rows').replaceChildren(...ROWS.filter(([, , there]) => {
      const found = there(data);
      return typeof found === 'string' ? document.querySelector(found) : found;
    }).map(([keys, words, , projectorOnly]) => {
      const row = document.createElement('tr');
      row.className = projectorOnly && !data.projector ? 'later' : '';
      const head = row.appendChild(document.createElement('th'));
      head.append(...keys.split(' ').map((one) => Object.assign(document.createElement(one === '–' ? 'span' : 'kbd'), { textContent: one })));
      row.appendChild(document.createElement('td')).textContent = typeof words === 'function' ? words(data) : words;
      return row;
    }));
    $('hint').textContent = data.projector ? '' : 'Pale ones work in projector mode only: elsewhere a letter typed by mistake changes nothing.';
    card.showModal();
    $('close').focus();
  }

  const press = (selector) => {
    const button = [...document.querySelectorAll(selector)]
      .map((place) => (place.matches('button') ? place : place.querySelector('button')))
      .find((one) => one && !one.disabled);
    button?.click();
    return Boolean(button);
  };

  const ask = (name, value) => { send(name, value); return true; };

  // Of several presses that the page has not answered yet Streamlit hands on the last: so each says what all of them ask for.
  let presses = Date.now(), since = null; // no number is one of a page before this
  function multiply(key) {
    since ??= { rate: data.rate, factor: 1 };
    since.factor *= '+='.includes(key) ? 2 : 0.5;
    since.number = presses += 1;
    return ask('factor', { ...since });
  }

  // Whether a key did something
  function act(key) {
    if (key === '?') return open(), true;
    if (key === 'p') return ask('view', true);
    if (!data.projector) return false;
    if (key === 'n') return ask('on', 1);
    if (key === 'f') return document.documentElement.classList.toggle('lab-formula'), true;
    if (key === 'c' && data.may_teach) return ask('teach', 1);
    if (data.rate !== null && '+=-−'.includes(key)) return multiply(key);
    if (/^[1-9]$/.test(key)) {
      const button = document.querySelectorAll(ANSWERS)[+key - 1];
      if (button && !button.disabled) button.click();
      return Boolean(button);
    }
    return key in PRESSES && press(PRESSES[key]);
  }

  // What scrolls in a box of its own is a stop of Tab, and only while it does. Streamlit's boxes of code are none.
  function setStops() {
    for (const box of document.querySelectorAll('.wide, [data-testid="stCode"] pre')) {
      const scrolls = box.scrollWidth > box.clientWidth || box.scrollHeight > box.clientHeight;
      if (scrolls) box.tabIndex = 0;
      else box.removeAttribute('tabindex');
    }
    for (const point of document.querySelectorAll(POINTS)) {
      point.tabIndex = 0;
      point.setAttribute('role', 'link');
    }
  }

  function key(event) {
    if (event.key === 'Tab') setStops();
    const target = event.composedPath()[0];
    if (card.open) {
      // the page's other keys do not reach through the card
      event.stopPropagation();
      if (event.key === '?') {
        event.preventDefault();
        card.close();
      }
      return;
    }
    if (event.defaultPrevented || event.repeat || event.isComposing) return;
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (target instanceof Element && target.matches(TYPED_INTO)) return;
    if (document.querySelector(DIALOG)) return;
    if (event.key === 'Enter') openRun(event);
    if (event.key.length !== 1 || !act(event.key.toLowerCase())) return;
    event.preventDefault();
    event.stopPropagation(); // Streamlit's own R runs the page anew, and with it the press a second time
  }
  window.addEventListener('keydown', key, true);

  // Vega would leave the class's page for it
  function openRun(event) {
    const link = event.target.matches?.(POINTS) && event.target.__data__?.href;
    if (!link) return;
    event.stopPropagation();
    window.open(link, '_blank', 'noopener');
  }
  document.addEventListener('click', openRun, true);

  // A button that one answers with is out of use after it. A keyboard then goes on at the player, which has no focus of
  // its own to give if it came after the answer; and at the first answer when the question is asked again.
  let waiting = 0;
  function handOn(event) {
    const pressed = event.target.closest?.('.st-key-answers button');
    if (!pressed || event.detail || document.activeElement !== pressed) return; // by pointer, or by a key from afar
    const again = pressed.closest('.st-key-ask_again');
    clearInterval(waiting);
    waiting = setInterval(() => {
      const focused = document.activeElement;
      if (focused === pressed && !pressed.disabled) return;
      const next = again ? document.querySelector(ANSWERS) : playButton();
      const lost = focused === document.body || focused === pressed;
      if (lost && (!next || next.disabled)) return;
      clearInterval(waiting);
      if (lost) next.focus({ preventScroll: true });
    }, 100);
  }
  document.addEventListener('click', handOn, true);

  // On a phone the side bar is a drawer over the page: what was chosen from its menus is behind it, and so is how a file that
  // was brought is read. There Enter takes it; or the focus is on the first thing that is asked.
  let asked = false;
  function closeDrawer() {
    if (!matchMedia('(max-width: 768px)').matches) return;
    document.querySelector('[data-testid="stSidebarCollapseButton"] button')?.click();
  }
  function leaveDrawer(event) {
    if (event.target.closest?.('[data-testid="stSidebarNavLink"], [class*="st-key-example_"] button')) closeDrawer();
  }
  function leaveForAFile() {
    const first = document.querySelector('.st-key-use_table button:enabled, .st-key-as_read [role="combobox"]');
    if (!first || asked) {
      asked &&= document.querySelector('.st-key-as_read') !== null;
      return;
    }
    asked = true;
    closeDrawer();
    first.focus({ preventScroll: true });
  }
  const files = setInterval(leaveForAFile, 250); // the page's state may change before what it shows does
  document.addEventListener('click', leaveDrawer);

  // Two things after which the page has to run again, and Streamlit does not ask for it. One that has lost its server
  // may come back to another process, which knows nothing of it: its buttons would do nothing there. And where the
  // theme changes, our own colours are still those of the other.
  const app = document.querySelector('[data-testid="stApp"]');
  const connected = () => app.dataset.testConnectionState === 'CONNECTED';
  const theme = () => getComputedStyle(app).colorScheme;
  let lost = !connected(), told = '';
  function look() {
    const repainted = data.theme && theme() !== data.theme && theme() !== told && !document.querySelector(DIALOG);
    if (connected() && (lost || repainted)) send('stale', true);
    if (repainted || theme() === data.theme) told = theme(); // asked for once: the server may see it otherwise
    lost = !connected();
  }
  const watch = new MutationObserver(look);
  watch.observe(app, { attributeFilter: ['data-test-connection-state', 'data-test-script-state', 'class'] });

  keep(VISITS, kept(VISITS, 0) + 1);
  markDone();
  document.addEventListener('judged', keepShown);

  for (const button of root.querySelectorAll('[data-key]')) {
    const { key } = button.dataset;
    // which a phone has no keys for, and C outside of a projector nobody
    button.onclick = () => ('+-'.includes(key) ? multiply(key) : key === 'c' ? ask('teach', 1) : act(key));
  }
  $('link').onclick = async () => {
    const link = location.href.replace(/\bembed=true&?/, '');
    // a browser lets a page copy over https and on this computer only
    const copied = await navigator.clipboard?.writeText(link).then(() => true, () => false);
    $('link').textContent = copied ? 'Link copied' : 'Copy it from the address bar';
    setTimeout(() => { $('link').textContent = 'Copy link'; }, 3000);
  };
  // past some twenty stops of Tab, most of them buttons that Streamlit puts over charts
  $('skip').onclick = () => (document.querySelector(`.st-key-train button, ${ANSWERS}`) ?? playButton())?.focus();
  card.onclick = (event) => {
    if (event.target === card) card.close(); // beside it
  };

  return {
    host,
    update(fresh, setTriggerValue) {
      data = fresh;
      send = setTriggerValue;
      if (data.heard === presses) since = null;
      root.querySelector('.bar').classList.toggle('projector', data.projector);
      $('rate').hidden = data.rate === null;
      $('following').hidden = $('leave').hidden = $('formula').hidden = !data.projector;
      $('enter').hidden = $('link').hidden = data.projector;
      if (!data.projector) document.documentElement.classList.remove('lab-formula');
      $('class').hidden = !data.may_teach;
      $('value').textContent = data.rate === null ? '' : `η = ${data.rate}`;
      $('following').title = `Next: ${data.following} (N)`;
      holdClass(data, send);
      look();
    },
    remove() {
      window.removeEventListener('keydown', key, true);
      document.removeEventListener('click', handOn, true);
      document.removeEventListener('click', openRun, true);
      document.removeEventListener('click', leaveDrawer);
      clearInterval(waiting);
      clearInterval(files);
      document.removeEventListener('judged', keepShown);
      watch.disconnect();
      if (card.open) card.close();
    },
  };
}

export default function ({ parentElement, data, setTriggerValue }) {
  let bar = bars.get(parentElement);
  if (!bar) bars.set(parentElement, (bar = create(parentElement)));
  clearTimeout(bar.leaving);
  bar.update(data, setTriggerValue);
  return () => {
    // Streamlit calls this before every update too; only an element that is really gone ends it
    bar.leaving = setTimeout(() => {
      if (!bar.host.isConnected) {
        bar.remove();
        bars.delete(parentElement);
      }
    }, 0);
  };
}
