// The predictions as a list, as a text file and on paper.

const element = (name, text) => Object.assign(document.createElement(name), { textContent: text });

function linesOf(titles) {
  const all = predicted();
  return titles.map(([name, title]) => [name, title, (all[name] ?? []).filter(({ said }) => said)]);
}
const told = ({ asked, said, happened }) => (said === happened
  ? `✓ ${asked} You said: ${said}. So it was.` : `✗ ${asked} You said: ${said}. What happened: ${happened}.`);

function sum(lessons) {
  const each = lessons.flatMap(([, , own]) => own), right = each.filter(({ said, happened }) => said === happened);
  if (!each.length) return 'No prediction yet. Answer the question of a lesson, and it stands here.';
  return `${right.length} of ${each.length} right.`;
}
const asText = (lessons) => ['Gradient Descent Lab: what you predicted', sum(lessons), '',
  ...lessons.flatMap(([, title, own], i) => [`${i + 1}. ${title}`, ...own.map((one) => `   ${told(one)}`)]), ''].join('\n');

function print(text) {
  const frame = document.body.appendChild(document.createElement('iframe'));
  frame.hidden = true;
  frame.contentDocument.body.append(Object.assign(element('pre', text), { style: 'white-space: pre-wrap; font: 11pt serif' }));
  frame.contentWindow.print();
  setTimeout(() => frame.remove(), 1000);
}

function take(text) {
  const url = URL.createObjectURL(new Blob([text], { type: 'text/plain' }));
  Object.assign(document.createElement('a'), { href: url, download: 'predictions.txt' }).click();
  setTimeout(() => URL.revokeObjectURL(url), 1000);
}

export default function ({ parentElement, data }) {
  const $ = (name) => parentElement.querySelector(`[data-part="${name}"]`);
  const all = predicted();
  if (!all.glossary) {
    all.glossary = []; // it asks nothing: who has come here has done it
    keep(PREDICTED, all);
    markDone();
  }
  function draw() {
    const lessons = linesOf(data.titles);
    $('sum').textContent = sum(lessons);
    $('row').hidden = !lessons.some(([, , own]) => own.length);
    $('lessons').replaceChildren(...lessons.filter(([name]) => name !== 'glossary').map(([, title, own]) => {
      const item = element('li', ''), list = element('ul', '');
      list.append(...own.map((one) => element('li', told(one))));
      item.append(element('b', title), own.length ? list : ': nothing predicted');
      return item;
    }));
  }
  draw();
  $('take').onclick = () => take(asText(linesOf(data.titles)));
  $('print').onclick = () => print(asText(linesOf(data.titles)));
  $('forget').onclick = () => { keep(PREDICTED, {}); markDone(); draw(); };
}
