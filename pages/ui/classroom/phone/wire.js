// What the pages of a class have in common: who a phone is, asking the server, and drawing how answers lie.
const RETRY = 1000; // milliseconds, and as much again by chance: a class must not come back in one moment
// In localStorage: by room the word that makes this phone the same person.
const KEEP = 'gradient-descent-lab class';

export const byId = (id) => document.getElementById(id);
export const wait = (time) => new Promise((ready) => setTimeout(ready, time));
export const soon = () => wait(RETRY * (1 + Math.random()));

/** The word of this phone in this room: made here, so that a second tab, or a second try, is the same person. */
export function wordFor(room) {
  try {
    const words = JSON.parse(localStorage.getItem(KEEP) ?? '{}');
    words[room] ??= made();
    const latest = Object.entries(words).filter(([one]) => one !== room).slice(-4);
    localStorage.setItem(KEEP, JSON.stringify(Object.fromEntries([...latest, [room, words[room]]])));
    return words[room];
  } catch {
    return made(); // a browser that keeps nothing
  }
}

function made() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return btoa(String.fromCharCode(...bytes)).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}

/** A server that says no, in one sentence; or one that is `away`, and may be there again in a moment. */
export class Refused extends Error {
  constructor(status, sentence) {
    super(sentence);
    this.away = status >= 500 || status === 429; // of a proxy whose app is not there, too
  }
}

/** The server's answer as JSON; a body is posted. */
export async function ask(path, body) {
  let answer;
  try {
    const posted = body && { method: 'POST', body: JSON.stringify(body), headers: { 'Content-Type': 'application/json' } };
    answer = await fetch(path, { cache: 'no-store', ...posted });
  } catch {
    throw new Refused(503, '');
  }
  const json = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Refused(answer.status, json.sentence ?? '');
  return json;
}

/** Until someone looks at the page: a locked phone asks nothing. */
export const seen = () =>
  new Promise((ready) => {
    const look = () => document.hidden || (document.removeEventListener('visibilitychange', look), ready());
    document.addEventListener('visibilitychange', look);
    look();
  });

/** An element with text and children; texts are never read as HTML. */
export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

/** Text into an element, which is hidden without one; unchanged text is not read out again. */
export function say(id, text) {
  const place = byId(id);
  if (place.textContent !== text) place.textContent = text;
  place.hidden = !text;
}

/** How many chose an answer, a bar a round: the first is hatched. */
export function bars(counts, answer) {
  return counts.map((round, number) => {
    const count = round[answer], all = round.reduce((a, b) => a + b);
    const part = element('i');
    part.style.width = `${(100 * count) / Math.max(1, all)}%`;
    const first = counts.length > 1 && number === 0;
    const label = counts.length > 1 ? `${first ? 'First' : 'Second'} vote: ${count}` : all ? `${count} of ${all}` : '0';
    return element('div', { class: first ? 'bar first' : 'bar' }, element('span', {}, label), element('div', { 'aria-hidden': 'true' }, part));
  });
}
