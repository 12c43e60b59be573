// Files handed in: dropped or chosen files are streamed one after the other, choices on a card are sent and read again,
// and while the worker is busy the page asks in a few bytes whether something has moved.
(function () {
  var ADDRESS = "/api/v1/hand-in", BUSY_EVERY = 1000, STAY = 8000;
  var queue = [], state = { sending: false, mark: null, timer: null, count: 0 };

  function give() { return document.querySelector(".page:not(.hidden) .desk-give"); }
  function all(card, what) { return Array.from(card.querySelectorAll('[data-desk="' + what + '"]')); }
  function say(key, values) {
    var area = document.querySelector(".desk-give"), text = (area && area.dataset[key]) || "";
    Object.keys(values).forEach(function (name) { text = text.replace("{" + name + "}", values[name]); });
    return text;
  }

  function headers(more) {
    var area = document.querySelector(".desk-give");
    return Object.assign({ "X-Desk-Token": area ? area.dataset.token : "" }, more || {});
  }

  // the page is read anew: its own callback, nothing else
  function refresh() {
    if (!give()) return;
    state.count += 1;
    window.dash_clientside.set_props("hand-in-state", { data: { search: window.location.search, desk: state.count } });
  }

  // --- lines of what is on its way; they stand beside the regions, which are drawn anew

  function holder() {
    var found = document.querySelector(".desk-on-the-way"), region = document.getElementById("hand-in-give");
    if (found || !region) return found;
    found = document.createElement("div");
    found.className = "desk-on-the-way";
    found.setAttribute("aria-live", "polite");
    region.insertAdjacentElement("afterend", found);
    return found;
  }

  function line() {
    var made = document.createElement("div");
    made.className = "desk-line";
    made.appendChild(document.createElement("span"));
    made.appendChild(document.createElement("progress"));
    if (holder()) holder().appendChild(made);
    return made;
  }

  function tell(made, text, share) {
    var bar = made.querySelector("progress");
    made.firstChild.textContent = text;
    if (share === undefined) bar.removeAttribute("value"); else bar.value = share;
  }

  function fail(made, text) {
    made.classList.add("failed");
    made.firstChild.textContent = text;
    made.querySelector("progress").remove();
    var close = document.createElement("button");
    close.textContent = "✕";
    close.className = "plain";
    close.onclick = function () { made.remove(); };
    made.appendChild(close);
  }

  // --- sending

  function send(file, done) {
    var area = document.querySelector(".desk-give"), limit = Number(document.documentElement.dataset.upload) || 0, made = line();
    if (limit && file.size > limit * 1048576) {
      fail(made, say("tooLarge", { name: file.name, limit: limit }));
      done();
      return;
    }
    var request = new XMLHttpRequest(), node = area ? area.dataset.node : "", lang = area ? area.dataset.lang : "zh";
    request.open("POST", ADDRESS + "?lang=" + lang + "&node=" + encodeURIComponent(node || ""));
    var named = headers({ "X-File-Name": encodeURIComponent(file.name), "Content-Type": "application/octet-stream" });
    Object.keys(named).forEach(function (key) { request.setRequestHeader(key, named[key]); });
    request.upload.onprogress = function (event) {
      var share = event.total ? event.loaded / event.total : 0;
      if (share < 1) tell(made, say("sending", { name: file.name, done: Math.floor(share * 100) + "%" }), share);
      else tell(made, say("reading", { name: file.name }));
    };
    request.onload = function () {
      if (request.status === 201) made.remove();
      else fail(made, message(request.responseText) || say("lost", { name: file.name }));
      done();
    };
    request.onerror = function () { fail(made, say("lost", { name: file.name })); done(); };
    tell(made, say("sending", { name: file.name, done: "0%" }), 0);
    request.send(file);
  }

  function message(text) { try { return JSON.parse(text).message; } catch (error) { return ""; } }

  function next() {
    if (state.sending || !queue.length) return;
    state.sending = true;
    send(queue.shift(), function () { state.sending = false; refresh(); next(); });
  }

  function take(files) { queue = queue.concat(Array.from(files)); next(); }

  document.addEventListener("dragover", function (event) {
    var area = give();
    if (!area || !event.dataTransfer || Array.from(event.dataTransfer.types).indexOf("Files") < 0) return;
    event.preventDefault();
    area.classList.add("over");
    clearTimeout(state.over);
    state.over = setTimeout(function () { area.classList.remove("over"); }, 300);
  });
  document.addEventListener("drop", function (event) {
    if (!give() || !event.dataTransfer || !event.dataTransfer.files.length) return;
    event.preventDefault();
    take(event.dataTransfer.files);
  });

  function choose() {
    var field = document.createElement("input");
    field.type = "file";
    field.multiple = true;
    field.accept = ".csv,.xlsx,.xls,.ods,.parquet";
    field.onchange = function () { take(field.files); };
    field.click();
  }

  // --- deciding

  // "-" stands for nothing chosen
  function value(holder) { var list = holder.querySelector("select"); return list && list.value !== "-" ? list.value : ""; }

  function said(card, changed) {
    var source = all(card, "source").map(value)[0] || card.dataset.source || "";
    var columns = {}, organisations = {};
    if (changed !== "source") all(card, "column").forEach(function (holder) {
      var now = value(holder);
      if (holder.dataset.was === (now || "-")) return;
      columns[holder.dataset.label] = now;
    });
    all(card, "organisation").forEach(function (holder) { if (value(holder)) organisations[holder.dataset.name] = value(holder); });
    return { "do": "look", source: source || null, columns: columns, organisations: organisations };
  }

  function decide(card, body) {
    var area = document.querySelector(".desk-give");
    if (card.classList.contains("busy")) return;
    card.classList.add("busy");
    fetch(ADDRESS + "/" + card.dataset.id + "?lang=" + (area ? area.dataset.lang : "zh"), {
      method: "POST", headers: headers({ "Content-Type": "application/json" }), body: JSON.stringify(body),
    }).then(function (answer) {
      if (answer.ok) return;
      return answer.text().then(function (text) { fail(line(), message(text) || String(answer.status)); });
    }).catch(function () { fail(line(), say("lost", { name: "" })); }).then(function () {
      card.classList.remove("busy");
      refresh();
      watch();
    });
  }

  document.addEventListener("change", function (event) {
    var holder = event.target.closest && event.target.closest("[data-desk]"), card = event.target.closest && event.target.closest(".desk-card");
    if (holder && card) decide(card, said(card, holder.dataset.desk));
  });
  document.addEventListener("click", function (event) {
    var button = event.target.closest("[data-desk]"), card = event.target.closest(".desk-card");
    if (!button) return;
    if (button.dataset.desk === "choose") choose();
    if (card && button.dataset.desk === "look") decide(card, said(card));
    if (card && (button.dataset.desk === "accept" || button.dataset.desk === "discard")) decide(card, { "do": button.dataset.desk });
  });

  // --- while the worker is busy

  function watch() {
    clearTimeout(state.timer);
    state.timer = null;
    state.asking = true;
    fetch(ADDRESS, { cache: "no-store" }).then(function (answer) { return answer.json(); }).then(function (now) {
      if (state.mark !== null && state.mark !== now.mark) {
        refresh();
        if (!now.busy && window.cockpitWatch) window.cockpitWatch.poll();
      }
      state.mark = now.mark;
      state.asking = false;
      if (now.busy) state.timer = setTimeout(watch, BUSY_EVERY);
    }).catch(function () { state.asking = false; state.timer = setTimeout(watch, STAY); });
  }

  // cards that wait for the worker, also after the page was left and opened again
  new MutationObserver(function () {
    if (give() && document.querySelector(".desk-card.waiting, .desk-card.loading") && !state.timer && !state.asking) watch();
  }).observe(document.documentElement, { childList: true, subtree: true });
})();
