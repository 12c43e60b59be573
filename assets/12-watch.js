// Watches the store's version: new data redraws in place, a new program reloads the page, silence is said aloud.
(function () {
  var EVERY = 1000 * (Number(document.documentElement.dataset.refresh) || 10), NIGHT = 3;
  var known = { tag: null, build: null, seq: null, at: null, lostSince: null };
  var counter = 0;

  function words() { return window.cockpitShell ? window.cockpitShell.words() : {}; }

  function take(answer) {
    known.tag = answer.headers.get("ETag");
    return answer.json().then(function (now) {
      if (known.build && known.build !== now.build) { window.location.reload(); return; }
      var isNew = known.seq !== null && (known.seq !== now.through_seq || known.generation !== now.generation || known.records !== now.records);
      known.build = now.build; known.seq = now.through_seq; known.generation = now.generation; known.records = now.records;
      if (isNew) refresh();
    });
  }

  function refresh() {
    counter += 1;
    window.dash_clientside.set_props("shell-version", { data: counter });
  }

  function poll() {
    fetch("/api/v1/version", { cache: "no-store", headers: known.tag ? { "If-None-Match": known.tag } : {} })
      .then(function (answer) {
        var was = known.lostSince;
        known.lostSince = null;
        known.at = known.at || new Date();
        document.documentElement.classList.remove("lost");
        if (was) refresh();
        if (answer.status === 200) return take(answer);
      })
      .catch(function () {
        known.lostSince = known.lostSince || new Date();
        document.documentElement.classList.add("lost");
      });
  }

  function age(since) {
    var minutes = Math.floor((Date.now() - new Date(since).getTime()) / 60000);
    var text = words();
    if (minutes < 1) return text.age_now;
    if (minutes < 120) return (text.age_minutes || "").replace("{n}", minutes);
    if (minutes < 2880) return (text.age_hours || "").replace("{n}", Math.floor(minutes / 60));
    return (text.age_days || "").replace("{n}", Math.floor(minutes / 1440));
  }

  function tick() {
    var now = new Date();
    document.querySelectorAll("[data-age-of]").forEach(function (el) {
      var text = known.lostSince
        ? (words().lost || "").replace("{time}", known.lostSince.toTimeString().slice(0, 5))
        : age(el.dataset.ageOf) || "";
      if (el.textContent !== text) el.textContent = text;
    });
    document.querySelectorAll("[data-clock]").forEach(function (el) {
      var text = now.toTimeString().slice(0, 5);
      if (el.textContent !== text) el.textContent = text;
    });
    // the safety net: a wall that nobody touches starts afresh once a night
    if (document.documentElement.classList.contains("on-wall") && now.getHours() === NIGHT && performance.now() > 7200000) window.location.reload();
  }

  window.cockpitWatch = { poll: poll };
  setInterval(poll, EVERY);
  setInterval(tick, 1000);
  window.addEventListener("load", poll);
})();
