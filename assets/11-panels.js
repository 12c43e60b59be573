// Table twin and export of a panel. The export writes the twin, figure by figure in full, with the stamp of the view on top.
(function () {
  var FORMULA = /^[=+\-@\t\r]/;

  function safe(value) {
    var text = String(value == null ? "" : value).trim();
    // a spreadsheet must never run what a file or a name brought in; plain numbers stay numbers
    if (FORMULA.test(text) && !/^[+-]?[\d,]*\.?\d+(e[+-]?\d+)?$/i.test(text)) text = "'" + text;
    return /[",\n]/.test(text) ? '"' + text.replace(/"/g, '""') + '"' : text;
  }

  function plain(full) {
    var number = String(full).replace(/−/g, "-");
    return /^-?[\d,]+(\.\d+)?( .*)?$/.test(number) ? number.split(" ")[0].replace(/,/g, "") : number;
  }

  // what the panel shows, as rows: the twin's figures in full, or a grid as it is filtered and sorted now
  function rowsOf(panel) {
    if (panel.dataset.twin) {
      var twin = JSON.parse(panel.dataset.twin);
      return [twin.headers].concat(twin.rows.map(function (row) {
        return row.map(function (cell) { return cell[1] === null || cell[1] === "" ? cell[0] : plain(cell[1]); });
      }));
    }
    var grid = panel.querySelector(".ag-theme-cockpit");
    var api = window.dash_ag_grid.getApi(grid.id);
    var columns = api.getAllGridColumns(), rows = [columns.map(function (column) { return column.getColDef().headerName; })];
    var read = function (node) {
      rows.push(columns.map(function (column) {
        var value = node.data[column.getColDef().field];
        return value === null || value === undefined ? node.data["t" + column.getColDef().field.slice(1)] : value;
      }));
    };
    api.forEachNodeAfterFilterAndSort(read);
    for (var place = 0; place < api.getPinnedBottomRowCount(); place += 1) read(api.getPinnedBottomRow(place));
    return rows;
  }

  function csv(panel) {
    var lines = [[panel.dataset.title], [panel.dataset.stamp]].concat(rowsOf(panel));
    return lines.map(function (line) { return line.map(safe).join(","); }).join("\r\n") + "\r\n";
  }

  function element(tag, text, name) {
    var made = document.createElement(tag);
    if (text !== undefined) made.textContent = text;
    if (name) made.className = name;
    return made;
  }

  // the twin is drawn when somebody asks for it, and again when its figures change
  function draw(panel) {
    var holder = panel.querySelector(".twin"), twin = JSON.parse(panel.dataset.twin);
    var table = element("table", undefined, "grid-table"), head = table.createTHead().insertRow(), body = table.createTBody();
    twin.headers.forEach(function (text, place) {
      var cell = element("th", text, twin.rows.length && twin.rows[0][place][1] !== null ? "num" : "");
      cell.scope = "col";
      head.appendChild(cell);
    });
    twin.rows.forEach(function (row, index) {
      var line = body.insertRow();
      if (index >= twin.rows.length - twin.totals) line.className = "total";
      row.forEach(function (cell) {
        var made = element("td", cell[0], cell[1] === null ? "" : "num");
        if (cell[1]) made.title = cell[1];
        line.appendChild(made);
      });
    });
    holder.replaceChildren(table);
  }

  function cloud(holder) {
    holder.replaceChildren.apply(holder, JSON.parse(holder.dataset.dots).map(function (dot) {
      var link = element("a", undefined, dot[4] ? "dot over" : "dot");
      link.style.left = dot[0];
      link.style.top = dot[1];
      link.title = dot[2];
      link.href = dot[3];
      link.dataset.go = "1";
      return link;
    }));
  }

  new MutationObserver(function (changes) {
    changes.forEach(function (change) {
      var node = change.target;
      if (change.type === "attributes") {
        if (change.attributeName === "data-dots") cloud(node);
        else if (node.classList.contains("as-table")) draw(node);
      } else change.addedNodes.forEach(function (added) {
        if (added.querySelectorAll) added.querySelectorAll("[data-dots]").forEach(cloud);
      });
    });
  }).observe(document.documentElement, { childList: true, subtree: true, attributes: true, attributeFilter: ["data-dots", "data-twin"] });

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
      if (panel.classList.contains("as-table")) draw(panel);
      button.setAttribute("aria-pressed", panel.classList.contains("as-table"));
      var words = window.cockpitShell.words();
      button.textContent = panel.classList.contains("as-table") ? words.chart : words.table;
    }
    if (button.dataset.act === "export") save(panel.dataset.name + ".csv", csv(panel));
    if (button.dataset.act === "unfold") { panel.classList.toggle("unfolded"); window.dispatchEvent(new Event("resize")); }
  });
})();
