// A student's phone: it draws what the room shows, and sends what its owner says.
import { Refused, ask, bars, byId, element, say, seen, soon, wait, wordFor } from './wire.js';

const ANSWERED = 'gradient-descent-lab answered'; // in localStorage: that a tab of this phone has
const STARTS = 4000; // milliseconds until a stream must have said something; a proxy may hold it back
const POLL = 2000;
const POLLS = 30; // then a stream is tried again
const WORDS = {
  lobby: ['You are in', 'The next question comes here when your teacher asks it.'],
  ended: ['The lesson has ended', 'Thank you for taking part. You can close this page.'],
};
const FIRST = ['Brave', 'Bright', 'Calm', 'Clever', 'Kind', 'Lively', 'Quick', 'Steady'];
const SECOND = ['Delta', 'Epoch', 'Gamma', 'Lambda', 'Sigma', 'Slope', 'Theta', 'Valley'];
let code = '';
let word = '';
let view = null;
let streams = true;
let wanted = null; // the answer that is to be sent
let sending = false;

// ------------------------------------------------------------------------------------------------------ what is shown

function show(news) {
  if (view && news.version < view.version) return; // it was overtaken
  const same = view && news.number === view.number;
  const before = view;
  // what everybody is sent holds nobody's own answers
  view = news.own ? news : { ...news, nickname: view.nickname, said: same ? view.said : [], why: same ? view.why : '' };
  draw(before);
  if (!news.own && view.phase === 'run' && before?.phase !== 'run' && wrong()) wait(1000 * Math.random()).then(look);
}

const said = () => view.said[view.round - 1] ?? null;
const last = () => [...view.said].reverse().find((one) => one !== null && one !== undefined) ?? null;
const wrong = () => last() !== null && !view.right.includes(last());

function draw(before) {
  const { phase, answers } = view;
  const [title, text] = WORDS[phase] ?? [view.text, ''];
  say('lesson', WORDS[phase] ? '' : view.title);
  say('title', title);
  say('text', text);
  document.title = `${title} · Gradient Descent Lab`;
  byId('room').replaceChildren('Room ', element('b', {}, view.code));
  const [list, voting] = [byId('answers'), phase === 'voting'];
  const again = !before || before.version !== view.version;
  if (again) {
    const held = list.contains(document.activeElement);
    list.replaceChildren(...(WORDS[phase] ? [] : answers.map((_, answer) => element('li', {}, voting ? button(answer) : told(answer)))));
    if (held) byId('title').focus(); // what had the focus is gone
    say('done', '');
  }
  if (voting) for (const [answer, one] of [...list.querySelectorAll('button')].entries()) one.setAttribute('aria-pressed', said() === answer);
  say('status', status());
  say('judged', phase === 'run' ? judged() : '');
  if (again) drawRun(phase === 'run' ? view.picture : '');
  const run = byId('run');
  run.hidden = !(phase === 'run' && view.address);
  if (!run.hidden) run.href = `./${view.address}`;
  byId('board').hidden = !view.task;
  byId('task').href = `./${view.task}`;
  const names = byId('names');
  const named = view.nicknames && !voting;
  if (names.hidden && named) byId('nickname').value = view.nickname;
  names.hidden = !named;
}

function button(answer) {
  const made = element('button', { class: 'answer', type: 'button', 'aria-pressed': 'false' }, view.answers[answer]);
  made.onclick = () => vote(answer);
  return made;
}

function told(answer) {
  const [right, yours] = [view.right?.includes(answer), last() === answer];
  const marks = [right && '✓ right', yours && (view.right && !right ? '✗ your answer' : 'your answer')].filter(Boolean);
  const made = element('div', { class: `told ${right ? 'right' : ''} ${yours ? 'yours' : ''}` }, view.answers[answer]);
  if (marks.length) made.append(element('small', { class: 'mark' }, marks.join(', ')));
  if (view.counts) made.append(...bars(view.counts, answer));
  return made;
}

/** The run's picture, which the server has drawn: SVG with a text, in the colours of this page. */
function drawRun(svg) {
  byId('picture').hidden = !svg;
  const drawn = svg && new DOMParser().parseFromString(svg, 'image/svg+xml').documentElement;
  byId('picture').firstChild.replaceChildren(...(drawn ? [drawn] : []));
}

byId('play').onclick = () => {
  const svg = byId('picture').querySelector('svg');
  svg.classList.remove('plays');
  svg.getBoundingClientRect(); // or the browser sees no change
  svg.classList.add('plays');
};

function status() {
  const mine = said();
  if (view.phase === 'voting') {
    if (wanted) return 'Your answer is on its way …';
    if (mine !== null) return `You said: ${view.answers[mine]}. You can change it while the class answers.`;
    return view.round > 1 ? 'Talk to your neighbours, then answer again.' : 'Choose your answer.';
  }
  if (view.phase === 'shown') return last() === null ? 'You did not answer.' : `You said: ${view.answers[last()]}.`;
  return '';
}

function judged() {
  if (last() === null) return view.sentence;
  const yours = wrong() ? `You said: ${view.answers[last()]}.` : 'You were right.';
  return [yours, view.sentence, view.why].filter(Boolean).join(' ');
}

// --------------------------------------------------------------------------------------------- to and from the server

async function vote(answer) {
  const before = [...view.said];
  wanted = { answer, number: view.number, round: view.round };
  view.said[view.round - 1] = answer; // at once, and taken back if it is refused
  draw(view);
  say('alert', '');
  if (sending) return; // the one who sends finds it
  sending = true;
  try {
    while (wanted) await send();
    tellOtherTabs();
  } catch (no) {
    if (view.number === wanted.number) view.said = before;
    wanted = null;
    draw(view);
    say('alert', no.message || 'Your answer has not arrived. Choose it again.');
  } finally {
    sending = false;
  }
}

/** Send the answer that is wanted, again and again where the server does not answer, and show what it says. */
async function send() {
  for (let tries = 1; ; tries++) {
    const asked = wanted;
    try {
      const news = await ask('join/vote', { room: code, word, ...asked });
      if (asked !== wanted) return; // another one was chosen meanwhile
      wanted = null;
      show({ own: true, ...news });
      draw(view);
      return say('alert', '');
    } catch (no) {
      if (!wanted) return; // the room has gone meanwhile
      if (!no.away || tries === 30) throw no;
      say('alert', no.message || 'The server does not answer. Your answer is sent again …');
      await soon();
    }
  }
}

function tellOtherTabs() {
  try {
    localStorage.setItem(ANSWERED, Date.now());
  } catch {
    // nothing is kept here, so the other tab is another person
  }
}

/** Post a form, and say what came of it. */
async function hand(path, fields, done) {
  for (const id of ['alert', 'done']) say(id, '');
  try {
    show({ own: true, ...(await ask(path, { room: code, word, ...fields })) });
    say('done', done());
    return true;
  } catch (no) {
    say('alert', no.message || 'The server does not answer. Try again.');
    return false;
  }
}

async function look() {
  try {
    show({ own: true, ...(await ask('join/enter', { room: code, word })) });
  } catch {
    // the loop below says it
  }
}

/** Be in the room until it is gone, or this phone has left it. */
async function stay() {
  for (;;) {
    await seen();
    try {
      show({ own: true, ...(await ask('join/enter', { room: code, word })) });
      say('alert', '');
      if (view.phase === 'ended') return;
      streams = streams ? await stream() : await poll();
    } catch (no) {
      if (!(no instanceof Refused)) throw no;
      if (!no.away) return door(no.message);
      say('alert', no.message || 'The server does not answer. This page tries again by itself.');
    }
    await soon();
  }
}

/** Hear what is new, until the stream ends or nobody looks. Returns whether to try one again: not if it has said nothing. */
const stream = () =>
  new Promise((end) => {
    let heard = false;
    const source = new EventSource(`join/events?room=${code}`);
    const close = (worth) => {
      clearTimeout(timer);
      source.close();
      document.removeEventListener('visibilitychange', hidden);
      end(worth);
    };
    const hidden = () => document.hidden && close(true);
    const timer = setTimeout(() => close(false), STARTS);
    document.addEventListener('visibilitychange', hidden);
    source.onmessage = ({ data }) => {
      heard = true;
      clearTimeout(timer);
      show(JSON.parse(data));
      if (view.phase === 'ended') close(true);
    };
    source.onerror = () => close(heard);
  });

/** The same by a request every two seconds. */
async function poll() {
  for (let polls = 0; polls < POLLS && !document.hidden && view.phase !== 'ended'; polls++) {
    await wait(POLL);
    show(await ask(`join/look?room=${code}`));
  }
  return true;
}

// ------------------------------------------------------------------------------------------------------- at the door

function door(sentence) {
  view = wanted = null;
  say('title', 'Join the class');
  for (const id of ['lesson', 'text', 'status', 'judged']) say(id, '');
  for (const id of ['answers', 'room']) byId(id).replaceChildren();
  for (const id of ['picture', 'run', 'board', 'names', 'done']) byId(id).hidden = true;
  byId('door').hidden = false;
  say('alert', sentence);
}

async function enter(typed) {
  code = typed.toUpperCase().replace(/[\s-]/g, '');
  word = wordFor(code);
  byId('door').hidden = true;
  await stay();
}

byId('door').onsubmit = (event) => {
  event.preventDefault();
  const typed = byId('code').value;
  if (!typed.trim()) return say('alert', 'Type the code that your teacher shows.');
  say('alert', '');
  history.replaceState(null, '', `?room=${encodeURIComponent(typed.toUpperCase().replace(/[\s-]/g, ''))}`); // a reload finds it again
  enter(typed);
};
byId('board').onsubmit = async (event) => {
  event.preventDefault();
  const link = byId('result').value;
  if (await hand('join/hand_in', { link }, () => 'Your result is on the board.')) byId('result').value = '';
};
byId('names').onsubmit = (event) => {
  event.preventDefault();
  const nickname = byId('nickname').value;
  hand('join/name', { nickname }, () => (view.nickname ? `You are ${view.nickname}.` : 'You have no nickname.'));
};
const any = (words) => words[Math.floor(words.length * Math.random())];
byId('suggest').onclick = () => {
  byId('nickname').value = `${any(FIRST)} ${any(SECOND)}`;
};
addEventListener('storage', ({ key }) => key === ANSWERED && view && look());

const asked = new URLSearchParams(location.search).get('room');
if (asked) {
  byId('code').value = asked.slice(0, 12);
  enter(asked);
} else door('');
