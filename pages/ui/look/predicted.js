// What a visitor has predicted in the lessons, by lesson. It is kept in this browser alone, and sent nowhere.
const PREDICTED = 'gradient-descent-lab.predicted', VISITS = 'gradient-descent-lab.visits';
const KNOWS = 'gradient-descent-lab.no-longer-new'; // for the page's head, which is there before this script: see ahead.py
const NEW = 3; // visits in which one is told where to begin, unless a lesson was done
const MOST = 20; // predictions that are kept of a lesson

function kept(key, empty) {
  try {
    return JSON.parse(localStorage.getItem(key)) ?? empty;
  } catch {
    return empty; // a browser that keeps nothing, or something else under this name
  }
}
function keep(key, value) {
  try {
    localStorage.setItem(key, JSON.stringify(value));
  } catch {
    /* then nothing is kept */
  }
}
const predicted = () => kept(PREDICTED, {});

// Lessons that are done bear a mark in the menu; who is new is told where to begin.
function markDone() {
  const all = predicted(), links = Object.keys(all).filter((name) => /^\w+$/.test(name))
    .map((name) => `:is([data-testid="stTopNavDropdownLink"], [data-testid="stSidebarNavLink"])[href$="/${name}"]::after`);
  let style = document.getElementById('lab-done');
  if (!style) style = document.head.appendChild(Object.assign(document.createElement('style'), { id: 'lab-done' }));
  const text = links.length ? `${links.join(', ')} { content: "✓" / "done"; font-weight: 700; margin-left: auto; padding-left: 0.6rem; }` : '';
  if (style.textContent !== text) style.textContent = text;
  const isNew = !links.length && kept(VISITS, 0) <= NEW;
  document.documentElement.classList.toggle('lab-new', isNew);
  if (!isNew) keep(KNOWS, true);
}

// A judgement that is shown is kept: of each run the first answer.
function keepShown() {
  const found = document.querySelector('.judged.lit');
  if (!found) return;
  const { lesson, asked, said, happened } = found.dataset, address = new URLSearchParams(location.search);
  for (const name of ['guess', 'view', 'ask']) address.delete(name);
  const all = predicted(), run = address.toString(), own = all[lesson] ?? [];
  if (!own.some((one) => one.run === run && one.asked === asked && (one.said || !said))) {
    all[lesson] = [...own.filter((one) => one.said), { run, asked, said, happened }].slice(-MOST);
    keep(PREDICTED, all);
  }
  markDone();
}
