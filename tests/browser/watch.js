// Counts, from inside the page, what a test asserts: animation frames in which a chart was painted, charts that were
// embedded, runs of the script that ended, and starts of the player. `watch.mark()` sets all to 0.
(() => {
  const CHART = 'svg.marks, canvas.marks';
  const watch = (window.watch = {
    frames: 0,
    embeds: 0,
    runs: 0,
    starts: 0,
    mark() {
      Object.assign(watch, { frames: 0, embeds: 0, runs: 0, starts: 0 });
    },
  });
  let painted = false;

  function see(records) {
    for (const { target, type, attributeName, addedNodes } of records) {
      const element = target.nodeType === Node.ELEMENT_NODE ? target : target.parentElement;
      if (element?.closest?.(CHART)) painted = true;
      for (const node of addedNodes) {
        if (node.nodeType === Node.ELEMENT_NODE && (node.matches(CHART) || node.querySelector(CHART))) watch.embeds++;
      }
      if (type !== 'attributes' || !element) continue;
      if (attributeName === 'data-test-script-state' && element.getAttribute(attributeName) === 'notRunning') watch.runs++;
      if (attributeName === 'aria-label' && element.getAttribute(attributeName) === 'Pause') watch.starts++;
    }
  }
  const everything = { subtree: true, childList: true, characterData: true, attributes: true };
  const observer = new MutationObserver(see);
  observer.observe(document, everything);

  // the player lives in a shadow tree, which an observer of the document does not see
  const attach = Element.prototype.attachShadow;
  Element.prototype.attachShadow = function (options) {
    const root = attach.call(this, options);
    observer.observe(root, everything);
    return root;
  };

  (function tick() {
    if (painted) watch.frames++;
    painted = false;
    requestAnimationFrame(tick);
  })();
})();
