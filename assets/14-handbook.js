// The handbook is looked through as one types: by name, id, or the first letters of the pinyin. Enter opens the first found.
(function () {
  function plain(text) { return text.normalize("NFKC").toLowerCase().replace(/\s+/g, ""); }

  function sift(box) {
    var wanted = plain(box.value), index = box.closest(".index");
    index.querySelectorAll(".group").forEach(function (group) {
      var left = 0;
      group.querySelectorAll("[data-find]").forEach(function (item) {
        var hit = item.dataset.find.indexOf(wanted) >= 0;
        item.classList.toggle("off", !hit);
        if (hit) left += 1;
      });
      group.classList.toggle("off", left === 0);
    });
  }

  document.addEventListener("input", function (event) {
    if (event.target.matches && event.target.matches(".index input")) sift(event.target);
  });
  document.addEventListener("keydown", function (event) {
    if (event.key !== "Enter" || !event.target.matches(".index input")) return;
    var first = event.target.closest(".index").querySelector("[data-find]:not(.off) a");
    if (first) first.click();
  });
})();
