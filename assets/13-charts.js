// Charts that outlive a refresh. Dash puts new elements in place of old ones whenever a callback answers; a chart is
// therefore kept here by its name, moved into the new element and redrawn with what changed.
(function () {
  var GONE_AFTER = 1500;
  var live = new Map();

  function isShown(holder) { return holder.clientWidth > 0 && holder.clientHeight > 0; }

  var sizes = new ResizeObserver(function (entries) {
    entries.forEach(function (entry) {
      var chart = live.get(entry.target.dataset.chart);
      if (!chart || chart.holder !== entry.target || !isShown(entry.target)) return;
      if (chart.waits) draw(chart);
      else window.Plotly.Plots.resize(chart.node);
    });
  });

  function draw(chart) {
    chart.waits = !isShown(chart.holder);
    if (chart.waits) return;
    window.Plotly.react(chart.node, chart.figure.data, chart.figure.layout, chart.figure.config);
  }

  function take(holder) {
    var name = holder.dataset.chart, chart = live.get(name);
    if (!chart) {
      chart = { node: document.createElement("div") };
      chart.node.className = "chart";
      chart.node.id = name;
      live.set(name, chart);
    }
    if (chart.node.parentNode !== holder) holder.replaceChildren(chart.node);
    if (chart.holder !== holder) { if (chart.holder) sizes.unobserve(chart.holder); sizes.observe(holder); }
    chart.holder = holder;
    chart.figure = JSON.parse(holder.dataset.figure);
    draw(chart);
  }

  function sweep() {
    live.forEach(function (chart, name) {
      if (document.contains(chart.holder)) return;
      sizes.unobserve(chart.holder);
      window.Plotly.purge(chart.node);
      live.delete(name);
    });
  }

  new MutationObserver(function (changes) {
    var lost = false;
    changes.forEach(function (change) {
      if (change.type === "attributes") { take(change.target); return; }
      change.addedNodes.forEach(function (added) {
        if (!added.querySelectorAll) return;
        if (added.dataset && added.dataset.figure) take(added);
        added.querySelectorAll("[data-figure]").forEach(take);
      });
      lost = lost || change.removedNodes.length > 0;
    });
    if (lost) { clearTimeout(sweep.timer); sweep.timer = setTimeout(sweep, GONE_AFTER); }
  }).observe(document.documentElement, { childList: true, subtree: true, attributes: true, attributeFilter: ["data-figure"] });
})();
