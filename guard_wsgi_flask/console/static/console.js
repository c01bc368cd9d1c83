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
    var source = new EventSource("/live");
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
    function draw() {
      if (drawn) drawn.destroy();
      var seconds = data.step, columns = [data.times], series = [{}];
      function add(name, values, stroke, dash, scale) {
        columns.push(values);
        series.push({
          label: name, stroke: stroke, width: 2, dash: dash, scale: scale,
          points: { show: false },
          value: function (self, value) { return value === null ? "–" : value.toLocaleString(); },
        });
      }
      data.refused.forEach(function (one, number) {
        add(one.name.replace(/_/g, " "), one.values, colour("--series-" + (number + 1)), undefined, "y");
      });
      add("would be refused", data.would, colour("--warn"), [6, 4], "y");
      var axis = { stroke: colour("--quiet"), grid: { stroke: colour("--line"), width: 1 }, ticks: { stroke: colour("--line") } };
      var axes = [Object.assign({}, axis), Object.assign({ size: 52 }, axis)];
      if (data.requests) {
        add("all requests", data.requests, colour("--series-7"), [2, 3], "all");
        axes.push(Object.assign({}, axis, { scale: "all", side: 1, size: 52, grid: { show: false } }));
      }
      drawn = new uPlot({
        width: node.clientWidth, height: 250, series: series, axes: axes,
        scales: { y: { range: function (u, low, high) { return [0, Math.max(high, 4) * 1.05]; } },
                  all: { range: function (u, low, high) { return [0, Math.max(high, 4) * 1.05]; } } },
        cursor: { y: false }, legend: { live: true },
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
