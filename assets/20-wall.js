// The wall's programme: shows one board after the other. Arrows turn the page, space pauses, Esc returns to the desk.
(function () {
  var state = { index: 0, left: null, paused: false };

  function on() { return document.documentElement.classList.contains("on-wall"); }
  function boards() { return Array.from(document.querySelectorAll(".page-wall .board")); }
  function seconds() {
    var stage = document.querySelector(".page-wall .stage");
    return stage ? Number(stage.dataset.seconds) || 20 : 20;
  }

  function show() {
    var all = boards();
    if (!all.length) return;
    state.index = (state.index + all.length) % all.length;
    var isNew = false;
    all.forEach(function (board, place) {
      var is = place === state.index;
      if (is && !board.classList.contains("shown")) isNew = true;
      board.classList.toggle("shown", is);
    });
    if (isNew) window.dispatchEvent(new Event("resize"));
    var next = document.querySelector(".wall-next"), after = all[(state.index + 1) % all.length];
    if (next) {
      var text = state.paused ? next.dataset.paused : next.dataset.next.replace("{title}", after.dataset.title).replace("{n}", state.left);
      if (next.textContent !== text) next.textContent = text;
    }
    var today = new Date().toLocaleDateString(document.documentElement.lang, { month: "long", day: "numeric", weekday: "long" });
    document.querySelectorAll("[data-today]").forEach(function (el) { if (el.textContent !== today) el.textContent = today; });
  }

  function turn(step) { state.index += step; state.left = seconds(); show(); }

  setInterval(function () {
    if (!on()) return;
    if (state.left === null) state.left = seconds();
    if (!state.paused && boards().length > 1) state.left -= 1;
    if (state.left <= 0) turn(1); else show();
  }, 1000);

  document.addEventListener("keydown", function (event) {
    if (!on()) return;
    if (event.key === "ArrowRight" || event.key === "PageDown") turn(1);
    else if (event.key === "ArrowLeft" || event.key === "PageUp") turn(-1);
    else if (event.key === " ") { state.paused = !state.paused; show(); }
    else if (event.key === "Escape") window.dash_clientside.set_props("address", { pathname: "/" });
    else return;
    event.preventDefault();
  });

  // a wall must not fall asleep, where the browser lets a page say so
  function awake() { if (on() && navigator.wakeLock) navigator.wakeLock.request("screen").catch(function () {}); }
  document.addEventListener("visibilitychange", awake);
  window.addEventListener("load", function () { setTimeout(awake, 3000); });

  // a redraw brings new boards without the class: show at once, not at the next second
  new MutationObserver(function () { if (on() && boards().length && !document.querySelector(".page-wall .board.shown")) show(); })
    .observe(document.documentElement, { childList: true, subtree: true });
})();
