// Counts, from inside a page: animation frames in which some chart was painted, and charts that were embedded.
(() => {
  const CHART = 'svg.marks, canvas.marks';
  const seen = (window.seen = { frames: [], embeds: 0, begin() { seen.frames = []; seen.embeds = 0; } });
  let painted = false;
  new MutationObserver((records) => {
    for (const { target, addedNodes } of records) {
      const element = target.nodeType === Node.ELEMENT_NODE ? target : target.parentElement;
      if (element?.closest?.('.stVegaLiteChart')) painted = true;
      for (const node of addedNodes) {
        if (node.nodeType === Node.ELEMENT_NODE && (node.matches(CHART) || node.querySelector(CHART))) seen.embeds++;
      }
    }
  }).observe(document, { subtree: true, childList: true, attributes: true, characterData: true });

  // a chart on a canvas changes no node when it is painted
  const clear = CanvasRenderingContext2D.prototype.clearRect;
  CanvasRenderingContext2D.prototype.clearRect = function (...where) {
    painted = true;
    return clear.apply(this, where);
  };

  (function frame(now) {
    if (painted) seen.frames.push(now);
    painted = false;
    requestAnimationFrame(frame);
  })(0);
})();
