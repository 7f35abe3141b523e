// What this page view was like, for the site that served it: nothing that tells who viewed it. See `Headstart::take_beacon`.
(function () {
  "use strict";
  var view = performance.getEntriesByType("navigation")[0];
  var token = ((view && view.serverTiming) || []).find(function (entry) { return entry.name === "headstart"; });
  var refused = navigator.globalPrivacyControl || navigator.doNotTrack === "1";
  if (!token || refused || !navigator.sendBeacon || document.prerendering || document.visibilityState === "hidden") return;

  var parts = token.description.split("."), lcp = 0, fcp = 0, sent = false, observers = [];
  function observe(type, take) {
    try {
      var observer = new PerformanceObserver(function (list) { list.getEntries().forEach(take); });
      observer.observe({ type: type, buffered: true });
      observers.push(function () { observer.takeRecords().forEach(take); });
    } catch (unknown) {}
  }
  observe("largest-contentful-paint", function (entry) { lcp = entry.startTime; });
  observe("paint", function (entry) { if (entry.name === "first-contentful-paint") fcp = entry.startTime; });

  // As the server does: FNV-1a, folded to 24 bits, in base 36.
  function hash(text) {
    for (var h = 2166136261, i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 16777619);
    return ((h ^ (h >>> 24)) & 16777215).toString(36);
  }

  function send() {
    if (sent) return;
    sent = true;
    observers.forEach(function (take) { take(); });
    var used = {};
    performance.getEntriesByType("resource").forEach(function (entry) {
      if (entry.name.indexOf(location.origin + "/") === 0) used[hash(entry.name.slice(location.origin.length))] = 1;
    });
    var connection = navigator.connection || {};
    var trip = connection.rtt || (view.secureConnectionStart && view.connectEnd - view.secureConnectionStart) || 0;
    navigator.sendBeacon("/.well-known/headstart/beacon", [
      "v=1", "t=" + parts[0], "lcp=" + Math.round(lcp), "fcp=" + Math.round(fcp),
      "ttfb=" + Math.round(view.finalResponseHeadersStart || view.responseStart),
      "early=" + Math.round(view.firstInterimResponseStart || 0),
      "rtt=" + (trip ? trip < 75 ? 1 : trip < 250 ? 2 : 3 : 0),
      "used=" + parts.slice(1).map(function (known) { return used[known] || 0; }).join("")
    ].join("&"));
  }
  addEventListener("visibilitychange", function () { if (document.visibilityState === "hidden") send(); }, true);
  addEventListener("pagehide", send, true);
})();
