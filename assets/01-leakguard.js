// Keeps a page that runs for days from growing: the browser holds the arguments of the last thousand console
// messages (and the page they stand on), and Dash keeps every value of a callback input it has ever seen.
(function () {
  // text only: kept console arguments keep detached pages
  ["log", "info", "warn", "error", "debug", "trace"].forEach(function (kind) {
    var write = console[kind].bind(console);
    console[kind] = function () {
      write.apply(null, Array.from(arguments, function (part) {
        if (part instanceof Error) return String(part.stack);
        if (part instanceof Node) return "<" + part.nodeName + " " + (part.id || "") + ">";
        return Object(part) === part ? Object.prototype.toString.call(part) : part;
      }));
    };
  });
  // Dash's hidden undo list: keep one entry (undo is not offered)
  setInterval(function () {
    (window.dash_stores || []).forEach(function (store) {
      var history = store.getState().history;
      if (history && history.past.length > 1) history.past = history.past.slice(-1);
    });
  }, 5000);
})();
