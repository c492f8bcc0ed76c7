// Live pages: an element with data-live="/live/…" listens there; on each event the parts with data-part are fetched anew.
(function () {
  "use strict";
  var root = document.querySelector("[data-live]");
  if (!root || !window.EventSource || !window.fetch) return;
  var waiting = null, busy = false, again = false;
  function typing() {
    var at = document.activeElement;
    return at && /^(INPUT|TEXTAREA|SELECT)$/.test(at.tagName);
  }
  function refresh() {
    waiting = null;
    if (busy) { again = true; return; }
    busy = true;
    fetch(location.href, { cache: "no-cache", credentials: "same-origin", headers: { "X-Live": "1" } }).then(function (answer) {
      return answer.ok ? answer.text() : Promise.reject(answer.status);
    }).then(function (html) {
      var fresh = new DOMParser().parseFromString(html, "text/html");
      document.querySelectorAll("[data-part]").forEach(function (part) {
        var next = fresh.querySelector('[data-part="' + part.getAttribute("data-part") + '"]');
        if (!next || next.innerHTML === part.innerHTML) return;
        if (part.contains(document.activeElement) && typing()) return;
        part.innerHTML = next.innerHTML;
      });
    }).catch(function () {}).then(function () {
      busy = false;
      if (again) { again = false; later(); }
    });
  }
  function later() { if (!waiting) waiting = setTimeout(refresh, 300 + Math.random() * 400); }
  var source = new EventSource(root.getAttribute("data-live"));
  source.addEventListener("changed", later);
  source.addEventListener("changed", function () {
    document.querySelectorAll("[data-live-news]").forEach(function (news) { news.hidden = false; });
  });
  var mark = document.querySelector("[data-live-mark]");
  if (mark) {
    source.onopen = function () { mark.hidden = false; };
    source.onerror = function () { mark.hidden = true; };
  }
  window.addEventListener("pagehide", function () { source.close(); });
})();
// Lists: with the focus inside, j and k go from line to line, x ticks a line.
document.querySelectorAll("[data-keys]").forEach(function (table) {
  "use strict";
  (table.closest(".scroll") || table).addEventListener("keydown", function (event) {
    if (event.ctrlKey || event.metaKey || event.altKey || /^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName) && event.target.type !== "checkbox") return;
    var rows = Array.prototype.slice.call(table.querySelectorAll("tbody tr"));
    var at = rows.indexOf(event.target.closest("tr"));
    if (event.key === "j" || event.key === "k") {
      var row = rows[Math.max(0, Math.min(rows.length - 1, at + (event.key === "j" ? 1 : -1)))];
      var link = row && row.querySelector("a");
      if (link) link.focus();
    } else if (event.key === "x" && at >= 0) {
      var box = rows[at].querySelector("input[type=checkbox]:not([disabled])");
      if (box) box.checked = !box.checked;
    } else return;
    event.preventDefault();
  });
});
