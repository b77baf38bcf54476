// The teacher's phone: it alone shows, while the class answers, how the answers lie and how many are right.
import { ask, bars, byId, element, say, seen, soon, wait } from './wire.js';

const LOOK = 1000; // milliseconds
const STEPS = {
  ask: 'Ask the class',
  show_answers: 'Show answers',
  ask_again: 'Ask again',
  run: 'Run it',
  go_on: 'Go on',
  end: 'End the lesson',
};
const PHASES = { lobby: 'Nothing is asked.', voting: 'The class answers.', shown: 'The answers are shown.', run: 'The run has decided.', ended: 'The lesson has ended.' };
// behind the #, which a browser sends to nobody
const { room, token } = Object.fromEntries(new URLSearchParams(location.hash.slice(1)));
let view = null;
let busy = false;
let shownNames = '';

function show(news) {
  if (view && news.version < view.version) return;
  const steps = view?.steps.join();
  view = news;
  byId('room').replaceChildren('Room ', element('b', {}, view.code));
  say('lesson', view.title);
  say('title', view.text || "The teacher's remote");
  say('status', status());
  say('advice', view.advice);
  say('offered', view.offered && view.steps.includes('ask') ? `Comes next: ${view.offered}` : '');
  byId('answers').replaceChildren(...view.answers.map((text, answer) => told(text, answer)));
  byId('names').hidden = view.phase === 'ended';
  byId('allow').textContent = view.nicknames ? 'Allow no nicknames' : 'Allow nicknames';
  const named = JSON.stringify(view.named);
  if (named !== shownNames) byId('named').replaceChildren(...view.named.map(nickname));
  shownNames = named;
  if (steps !== view.steps.join()) byId('steps').replaceChildren(...view.steps.map(button));
}

function status() {
  const joined = `${view.joined} ${view.joined === 1 ? 'is' : 'are'} in.`;
  if (!view.number || !view.text) return `${PHASES[view.phase]} ${joined}`;
  const shares = view.shares_right.map((share) => share ?? null);
  const percent = (share) => `${Math.round(100 * share)} %`;
  const right = shares.at(-1) === null || !shares.length ? '' : ` Right: ${shares.filter((one) => one !== null).map(percent).join(', then ')}.`;
  return `${PHASES[view.phase]} ${view.answered} of ${view.joined} have answered${view.round > 1 ? ' the second time' : ''}.${right}`;
}

function told(text, answer) {
  const right = view.right?.includes(answer);
  const made = element('div', { class: right ? 'told right' : 'told' }, text);
  if (right) made.append(element('small', { class: 'mark' }, '✓ right'));
  made.append(...bars(view.counts, answer));
  return element('li', {}, made);
}

function button(step) {
  const made = element('button', { type: 'button', class: step === view.steps[0] && step !== 'end' ? 'main' : '' }, step === 'go_on' && view.phase !== 'run' ? 'Leave the question' : STEPS[step]);
  made.onclick = () => press(step, made);
  return made;
}

function nickname({ member, nickname, hidden }) {
  const made = element('button', { type: 'button' }, hidden ? `Show ${nickname}` : `Hide ${nickname}`);
  made.onclick = () => send('remote/hide', { member, hidden: !hidden });
  return element('li', {}, made);
}

async function press(step, pressed) {
  if (step === 'end' && pressed.textContent === STEPS.end) {
    pressed.textContent = 'End it now';
    return;
  }
  if (await send('remote/step', { step, version: view.version })) byId('steps').querySelector('button')?.focus();
}

byId('allow').onclick = () => send('remote/step', { step: view.nicknames ? 'forbid_nicknames' : 'allow_nicknames', version: view.version });

/** Post what the teacher has pressed, one at a time. */
async function send(path, fields) {
  if (busy) return false;
  busy = true;
  try {
    show(await ask(path, { room, token, ...fields }));
    say('alert', '');
    return true;
  } catch (no) {
    say('alert', no.message || 'The server does not answer. Press again.');
    return false;
  } finally {
    busy = false;
  }
}

for (;;) {
  await seen();
  try {
    show(await ask('remote/look', { room, token }));
    say('alert', '');
    await wait(LOOK);
  } catch (no) {
    say('alert', no.message || 'The server does not answer. This page tries again by itself.');
    if (!no.away) break;
    await soon();
  }
}
