// Times in the reader's zone, live parts, the chart. Everything else is HTML and htmx.
"use strict";
(function () {
  var format = new Intl.DateTimeFormat(undefined, {
    year: "numeric", month: "short", day: "numeric",
    hour: "2-digit", minute: "2-digit", second: "2-digit",
  });
  var clock = new Intl.DateTimeFormat(undefined, {
    hour: "2-digit", minute: "2-digit", second: "2-digit",
  });

  var minute = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
  var day = new Intl.DateTimeFormat(undefined, { month: "short", day: "numeric" });

  function times(root) {
    var today = new Date().toDateString();
    root.querySelectorAll("time[datetime]").forEach(function (node) {
      var at = new Date(node.dateTime);
      if (isNaN(at)) return;
      node.title = node.dateTime;
      node.textContent = at.toDateString() === today ? clock.format(at) : format.format(at);
    });
  }

  // What news mean is said by the page: [data-live] is asked for again, unless somebody is
  // reading further down or has something selected in it.
  function live() {
    var parts = document.querySelectorAll("[data-live]");
    var sign = document.querySelector(".live");
    if (!parts.length || !window.EventSource) return;
    var source = new EventSource("/live?after=" + (parts[0].dataset.live || ""));
    source.onopen = function () { if (sign) { sign.classList.add("on"); sign.lastChild.textContent = " live"; } };
    source.onerror = function () { if (sign) { sign.classList.remove("on"); sign.lastChild.textContent = " not connected"; } };
    source.addEventListener("news", function () {
      document.querySelectorAll("[data-live]").forEach(function (part) {
        var selection = document.getSelection();
        if (selection && !selection.isCollapsed && part.contains(selection.anchorNode)) return;
        if (part.contains(document.activeElement) && document.activeElement !== part) return;
        htmx.trigger(part, "news");
      });
      document.dispatchEvent(new Event("guard:news"));
    });
    addEventListener("pagehide", function () { source.close(); });
    // A page from the browser's memory has lost its stream.
    addEventListener("pageshow", function (event) { if (event.persisted) location.reload(); });
  }

  function colour(name) {
    return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  }

  function chart(node) {
    var drawn = null, data = null, busy = false;
    // In the reader's own way to write times: a date where a day begins.
    function ticks(self, values) {
      return values.map(function (value) {
        var at = new Date(value * 1000);
        return at.getHours() + at.getMinutes() === 0 ? day.format(at) : minute.format(at);
      });
    }
    // Bars on top of each other: each is drawn from the ground to its own top, the highest first.
    function draw() {
      if (drawn) drawn.destroy();
      var ground = data.times.map(function () { return 0; });
      var bars = uPlot.paths.bars({ size: [0.86, 40] });
      var columns = [data.times], series = [{ value: function (self, value) { return value === null || value === undefined ? "–" : format.format(new Date(value * 1000)); } }], stacked = [];
      function shown(raw) {
        return function (self, value, number, index) {
          return index === null || index === undefined ? "–" : raw[index].toLocaleString();
        };
      }
      data.refused.concat([{ label: "would be refused", values: data.would, would: true }])
        .forEach(function (one, number) {
          ground = ground.map(function (value, at) { return value + one.values[at]; });
          var name = one.would ? "--warn-bar" : "--series-" + (number + 1);
          stacked.push({ top: ground, series: {
            label: one.label, fill: colour(name), stroke: colour(name), width: 0, paths: bars,
            points: { show: false }, scale: "y", value: shown(one.values),
          } });
        });
      stacked.reverse().forEach(function (one) { columns.push(one.top); series.push(one.series); });
      var axis = { stroke: colour("--quiet"), grid: { stroke: colour("--line"), width: 1 }, ticks: { stroke: colour("--line") } };
      var axes = [Object.assign({ values: ticks }, axis), Object.assign({ size: 52 }, axis)];
      if (data.requests) {
        columns.push(data.requests);
        series.push({ label: "all requests (right)", stroke: colour("--quiet"), width: 1.5, dash: [3, 3],
                      scale: "all", points: { show: false }, value: shown(data.requests) });
        axes.push(Object.assign({}, axis, { scale: "all", side: 1, size: 52, grid: { show: false } }));
      }
      function fromZero(self, low, high) { return [0, Math.max(high || 0, 4) * 1.05]; }
      drawn = new uPlot({
        width: node.clientWidth, height: 250, series: series, axes: axes,
        scales: { y: { range: fromZero }, all: { range: fromZero } },
        cursor: { y: false, points: { show: false } }, legend: { live: true },
      }, columns, node);
      node.dataset.points = String(data.times.length);
    }
    function load() {
      if (busy) return;
      busy = true;
      fetch(node.dataset.chart, { headers: { Accept: "application/json" } })
        .then(function (answer) { return answer.ok ? answer.json() : null; })
        .then(function (got) { busy = false; if (got) { data = got; draw(); } })
        .catch(function () { busy = false; });
    }
    load();
    var waiting = null;
    document.addEventListener("guard:news", function () {
      if (!waiting) waiting = setTimeout(function () { waiting = null; load(); }, 3000);
    });
    document.addEventListener("guard:theme", function () { if (data) draw(); });
    addEventListener("resize", function () { if (drawn) drawn.setSize({ width: node.clientWidth, height: 250 }); });
  }

  document.addEventListener("DOMContentLoaded", function () {
    times(document);
    document.querySelectorAll("[data-chart]").forEach(chart);
    document.querySelectorAll("[data-theme-switch]").forEach(function (button) {
      button.addEventListener("click", window.guardTheme);
    });
    document.addEventListener("click", function (event) {
      var button = event.target.closest("[data-copy]");
      if (!button) return;
      var text = document.getElementById(button.dataset.copy).textContent;
      navigator.clipboard.writeText(text).then(function () { button.textContent = "Copied"; });
    });
    document.addEventListener("submit", function (event) {
      var question = event.target.dataset.confirm;
      if (question && !confirm(question)) event.preventDefault();
    });
    document.addEventListener("change", function (event) {
      var form = event.target.closest("form[data-at-once]");
      if (form) form.requestSubmit();
    });
    document.addEventListener("htmx:afterSwap", function (event) { times(event.target); });
    live();
  });
})();
