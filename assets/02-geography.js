// An empty topology: plotly's maps then ask no host for outlines, and no foreign borders are drawn.
(function () {
  var nothing = { type: "GeometryCollection", geometries: [] };
  var objects = {};
  ["coastlines", "land", "ocean", "lakes", "rivers", "countries", "subunits"].forEach(function (key) {
    objects[key] = nothing;
  });
  window.PlotlyGeoAssets = {
    topojson: { world_110m: { type: "Topology", arcs: [], objects: objects, transform: { scale: [1, 1], translate: [0, 0] } } },
  };
})();
