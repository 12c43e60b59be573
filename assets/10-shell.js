// The address line is the view. This file turns an address into "which page shows which view" and choices into an address.
(function () {
  var ALWAYS = ["node", "period", "grain", "known_at", "tree", "where", "lang", "theme"];
  var pickers = { node: "context-node", period: "context-period", grain: "context-grain", known_at: "context-known-at", tree: "context-tree" };
  var blank = { grain: "ytd", tree: "as-was", known_at: "", period: "" };
  var seen = { key: null, defaults: {}, told: {}, shown: {} };

  function params(search) { return new URLSearchParams(search || ""); }
  function text(query) { var out = query.toString().replace(/\+/g, "%20"); return out ? "?" + out : ""; }
  function set(id, props) { window.dash_clientside.set_props(id, props); }
  function menu() { return Array.from(document.querySelectorAll(".menu-link")); }

  function pageOf(pathname) {
    var path = pathname.length > 1 ? pathname.replace(/\/+$/, "") : "/";
    var name = path === "/" ? "overview" : path.slice(1);
    return document.getElementById("page-" + name) ? name : "overview";
  }

  function pageNames() {
    return Array.from(document.querySelectorAll("#main > .page")).map(function (el) { return el.id.slice(5); });
  }

  function dress(name, query) {
    var root = document.documentElement;
    root.dataset.theme = query.get("theme") || "dark";
    root.lang = query.get("lang") === "en" ? "en" : "zh-CN";
    root.classList.toggle("on-wall", name === "wall");
    pageNames().forEach(function (other) {
      document.getElementById("page-" + other).classList.toggle("hidden", other !== name);
    });
    if (window.cockpitScale) window.cockpitScale();
  }

  // every change of a property makes all components of the page look up: tell only what is new
  function tell(id, props) {
    var known = JSON.stringify(props);
    if (seen.told[id] === known) return;
    seen.told[id] = known;
    set(id, props);
  }

  function showChoice(query, defaults) {
    tell(pickers.node, { value: query.get("node") || (defaults && defaults.node) || null });
    ["period", "grain", "known_at", "tree"].forEach(function (part) {
      var held = document.activeElement;
      if (held && held.id === pickers[part]) return;  // nobody's hand is overruled
      tell(pickers[part], { value: (query.get(part) || blank[part]).slice(0, part === "known_at" ? 10 : 40) });
    });
    tell("context-chips", { children: query.getAll("where").map(function (text) {
      return { type: "Button", namespace: "dash_html_components",
        props: { children: text.replace(/['"]/g, "") + " ✕", className: "chip", "data-act": "drop", "data-where": text } };
    }) });
    document.querySelector(".control-known_at").classList.toggle("chosen", !!query.get("known_at"));
    document.querySelector(".control-tree").classList.toggle("chosen", (query.get("tree") || "as-was") !== "as-was");
  }

  function showMenu(name, query) {
    var kept = new URLSearchParams();
    ALWAYS.forEach(function (key) { query.getAll(key).forEach(function (value) { kept.append(key, value); }); });
    menu().forEach(function (link) {
      var page = link.id.slice("menu-".length);
      link.setAttribute("href", (page === "overview" ? "/" : "/" + page) + text(kept));
      link.classList.toggle("here", page === name);
    });
  }

  // the menu's links are plain: changing pages is a change of the address, without a request
  document.addEventListener("click", function (event) {
    var link = event.target.closest("a[data-go], a.menu-link");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
    event.preventDefault();
    var target = new URL(link.href, window.location.href);
    set("address", { pathname: target.pathname, search: target.search });
  });

  // the pickers drop a value that is not yet among their options: choose once these have arrived
  function later(query) {
    clearTimeout(seen.timer);
    seen.timer = setTimeout(function () { showChoice(query, seen.defaults); }, 60);
  }

  window.dash_clientside = Object.assign({}, window.dash_clientside, {
    shell: {
      welcome: function (defaults) {
        if (!defaults) return;
        seen.defaults = defaults;
        document.documentElement.classList.toggle("is-simulated", !!defaults.simulated);
        seen.told = {};
        later(params(window.location.search));
      },
      route: function (pathname, search, version) {
        var keep = window.dash_clientside.no_update;
        var query = params(search), name = pageOf(pathname || "/");
        dress(name, query);
        later(query);
        showMenu(name, query);
        var key = ["lang", "theme", "tree", "known_at"].map(function (part) { return query.get(part) || ""; }).join("|") + "|" + version;
        var changed = key !== seen.key;
        seen.key = key;
        var view = pathname + "|" + search + "|" + version;
        var states = pageNames().map(function (other) {
          if (other !== name || seen.shown[other] === view) return keep;
          seen.shown[other] = view;
          return { search: search || "", version: version };
        });
        if (states.some(function (state) { return state !== keep; })) window.scrollTo(0, 0);
        return [changed ? { search: search || "", version: version } : keep].concat(states);
      },
      choose: function (node, period, grain, knownAt, tree, search, defaults) {
        var query = params(search), before = text(query);
        if (!defaults || node == null) return window.dash_clientside.no_update;
        seen.told = {};
        var chosen = { node: node, period: period, grain: grain, known_at: knownAt, tree: tree };
        Object.keys(chosen).forEach(function (part) {
          var value = chosen[part];
          if (part === "known_at" && value && (query.get(part) || "").slice(0, 10) === value.slice(0, 10)) return;
          var usual = part === "node" ? (defaults || {}).node : blank[part];
          if (value === undefined || value === null || value === "" || value === usual) query.delete(part);
          else query.set(part, value);
        });
        var after = text(query);
        return after === before ? window.dash_clientside.no_update : after;
      },
    },
  });

  function change(edit) {
    var query = params(window.location.search);
    edit(query);
    set("address", { search: text(query) });
  }

  var acts = {
    lang: function () { change(function (q) { if (q.get("lang") === "en") q.delete("lang"); else q.set("lang", "en"); }); },
    theme: function () { change(function (q) { if (q.get("theme") === "light") q.delete("theme"); else q.set("theme", "light"); }); },
    drop: function (button) {
      change(function (q) {
        var rest = q.getAll("where").filter(function (text) { return text !== button.dataset.where; });
        q.delete("where");
        rest.forEach(function (text) { q.append("where", text); });
      });
    },
    copy: function (button) {
      var done = function () { flash(button, (seen.defaults.words || {}).copied || "✓"); };
      if (navigator.clipboard) navigator.clipboard.writeText(window.location.href).then(done, done);
    },
  };

  function flash(button, message) {
    var old = button.textContent;
    if (button.dataset.busy) return;
    button.dataset.busy = "1";
    button.textContent = message;
    setTimeout(function () { button.textContent = old; delete button.dataset.busy; }, 1200);
  }

  window.cockpitShell = { change: change, words: function () { return seen.defaults.words || {}; }, mark: function () { return seen.defaults.mark || ""; } };

  document.addEventListener("click", function (event) {
    var button = event.target.closest("[data-act]");
    if (button && acts[button.dataset.act]) acts[button.dataset.act](button);
  });
})();
