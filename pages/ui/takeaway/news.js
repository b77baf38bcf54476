// Asks how far a moving picture has come, for as long as it stands on the page.
export default function ({ setTriggerValue }) {
  const asking = setInterval(() => setTriggerValue('asked', Date.now()), 500);
  return () => clearInterval(asking);
}
