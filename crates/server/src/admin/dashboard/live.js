// Keeps the sections of the page up to date. Without it the page is the same, as of when it was loaded.
"use strict";

const main = document.querySelector("main");
const state = document.getElementById("live");

function say(text, live) {
  state.textContent = text;
  state.classList.toggle("on", live);
}

// Puts new content in place, and the reader back to where they were.
function replace(section, content) {
  const focused = document.activeElement;
  const link = section.contains(focused) && focused.getAttribute("href");
  const inner = section.contains(focused) && focused.classList.contains("scroll");
  const scrolled = [...section.querySelectorAll(".scroll")].map((element) => element.scrollLeft);
  section.innerHTML = content;
  section.querySelectorAll(".scroll").forEach((element, at) => { element.scrollLeft = scrolled[at] || 0; });
  const again = link
    ? [...section.querySelectorAll("a")].find((element) => element.getAttribute("href") === link)
    : inner && section.querySelector(".scroll");
  if (again) again.focus({ preventScroll: true });
}

function selecting(section) {
  const selection = document.getSelection();
  return selection && !selection.isCollapsed && section.contains(selection.anchorNode);
}

const source = new EventSource(main.dataset.events);
let updates = 0;
for (const section of document.querySelectorAll("[data-live]")) {
  source.addEventListener(section.id, (event) => {
    // Text that is being selected stays.
    if (!selecting(section)) replace(section, event.data);
    main.dataset.updates = ++updates;
  });
}
source.addEventListener("stats", () => say("live", true));
source.onopen = () => say("live", true);
source.onerror = () => say("not connected", false);
addEventListener("pagehide", () => source.close());
