// The day of the replay: a date field and a slider over the days on which something was recorded.
(function () {
  function go(day) { if (day) window.cockpitShell.change(function (query) { query.set("day", day); }); }
  document.addEventListener("change", function (event) {
    if (event.target.id === "replay-day") go(event.target.value);
    var slider = event.target.closest && event.target.closest(".replay-controls .slider");
    if (slider && event.target.type === "range") go(slider.dataset.days.split(",")[Number(event.target.value)]);
  });
  document.addEventListener("input", function (event) {
    var slider = event.target.closest && event.target.closest(".replay-controls .slider");
    var field = document.getElementById("replay-day");
    if (slider && field && event.target.type === "range") field.value = slider.dataset.days.split(",")[Number(event.target.value)];
  });
})();
