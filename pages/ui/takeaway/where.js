// Says once where the page's player stands: the epoch that the charts show, and the last one seen before. And keeps the
// focus inside the panel: a button that makes a file is disabled meanwhile and would lose it, and Escape with it.
const told = new WeakSet();

function keepFocus(dialog) {
  let last = null;
  dialog.addEventListener('focusin', ({ target }) => {
    if (target !== dialog) last = target;
  });
  new MutationObserver(() => {
    if (![document.body, dialog].includes(document.activeElement) || !last?.isConnected) return;
    (last.disabled ? dialog : last).focus({ preventScroll: true });
  }).observe(dialog, { subtree: true, attributeFilter: ['disabled'] });
}

export default function ({ parentElement, setStateValue }) {
  if (told.has(parentElement)) return;
  told.add(parentElement);
  const dialog = (parentElement.host || parentElement).closest('[role="dialog"]');
  if (dialog) keepFocus(dialog);
  const [epoch, seen] = ['epoch', 'seen'].map((name) => {
    const inputs = [...document.querySelectorAll(`.stVegaLiteChart input[name="${name}"]`)];
    return Math.max(0, ...inputs.map((input) => +input.value));
  });
  setStateValue('at', [epoch, Math.max(epoch, seen)]);
}
