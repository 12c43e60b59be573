// Table twin and export of a panel. The export writes the twin, figure by figure in full, with the stamp of the view on top.
(function () {
  var FORMULA = /^[=+\-@\t\r]/;

  function safe(value) {
    var text = String(value == null ? "" : value).trim();
    // a spreadsheet must never run what a file or a name brought in; plain numbers stay numbers
    if (FORMULA.test(text) && !/^[+-]?[\d,]*\.?\d+(e[+-]?\d+)?$/i.test(text)) text = "'" + text;
    return /[",\n]/.test(text) ? '"' + text.replace(/"/g, '""') + '"' : text;
  }

  function cell(node) {
    var full = node.dataset.full;
    return full === undefined ? node.textContent : full.replace(/−/g, "-").replace(/^(-?)([\d,]+)(\.\d+)?$/, function (all) { return all.replace(/,/g, ""); });
  }

  function csv(panel) {
    var table = panel.querySelector(".twin table") || panel.querySelector("table");
    var lines = [[panel.dataset.title], [panel.dataset.stamp]];
    Array.from(table.rows).forEach(function (row) { lines.push(Array.from(row.cells).map(cell)); });
    return lines.map(function (line) { return line.map(safe).join(","); }).join("\r\n") + "\r\n";
  }

  function save(name, content) {
    var url = URL.createObjectURL(new Blob(["\ufeff" + content], { type: "text/csv;charset=utf-8" }));
    var link = document.createElement("a");
    link.href = url;
    link.download = name;
    document.body.appendChild(link);
    link.click();
    link.remove();
    setTimeout(function () { URL.revokeObjectURL(url); }, 1000);
  }

  window.cockpitCsv = { safe: safe, of: csv };

  document.addEventListener("click", function (event) {
    var button = event.target.closest("[data-act]");
    if (!button) return;
    var panel = button.closest(".panel");
    if (!panel) return;
    if (button.dataset.act === "twin") {
      panel.classList.toggle("as-table");
      button.setAttribute("aria-pressed", panel.classList.contains("as-table"));
      var words = window.cockpitShell.words();
      button.textContent = panel.classList.contains("as-table") ? words.chart : words.table;
    }
    if (button.dataset.act === "export") save(panel.dataset.name + ".csv", csv(panel));
    if (button.dataset.act === "unfold") { panel.classList.toggle("unfolded"); window.dispatchEvent(new Event("resize")); }
  });
})();
