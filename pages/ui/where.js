// Says once where the page's player stands: the epoch that the charts show, and the last one seen before.
const told = new WeakSet();

export default function ({ parentElement, setStateValue }) {
  if (told.has(parentElement)) return;
  told.add(parentElement);
  const [epoch, seen] = ['epoch', 'seen'].map((name) => {
    const inputs = [...document.querySelectorAll(`.stVegaLiteChart input[name="${name}"]`)];
    return Math.max(0, ...inputs.map((input) => +input.value));
  });
  setStateValue('at', [epoch, Math.max(epoch, seen)]);
}
