// Keeps the word by which the server knows this tab again after a reload, and shows it to a visit that may need it, once.
const NAME = 'gradient-descent-lab';
let shown = '';

export default function ({ data, setTriggerValue }) {
  try {
    if (data.keep) return sessionStorage.setItem(NAME, data.word);
    const last = sessionStorage.getItem(NAME);
    if (!last || shown === data.word) return;
    shown = data.word;
    setTriggerValue('word', last);
  } catch {
    // a frame for which the browser keeps nothing
  }
}
