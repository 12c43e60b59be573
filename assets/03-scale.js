// Charts draw their type in pixels: tell the stylesheet how large a pixel is on this screen, and shape the wall's stage.
(function () {
  var root = document.documentElement;
  var STAGE = { height: 1080, width: 1920, type: 20 };

  function stage() {
    var width = window.innerWidth, height = window.innerHeight, aspect = width / height;
    var shape = aspect > 2.4 ? "wide" : aspect < 0.9 ? "tall" : "plain";
    var scale = shape === "wide" ? height / STAGE.height
      : shape === "tall" ? width / STAGE.height
      : Math.min(width / STAGE.width, height / STAGE.height);
    root.dataset.stage = shape;
    root.style.setProperty("--stage-scale", scale);
    root.style.setProperty("--stage-width", width / scale + "px");
    root.style.setProperty("--stage-height", height / scale + "px");
  }

  function measure() {
    stage();
    var type = parseFloat(getComputedStyle(root).fontSize) || 16;
    root.style.setProperty("--k", (type / 16).toFixed(4));
  }

  window.cockpitScale = measure;
  window.addEventListener("resize", measure);
  measure();
})();
