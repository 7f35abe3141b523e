// What every page of the observatory does: tonight's moon, and the time by the stars.
import { draw, elongation, lit, next, phaseName } from "/assets/moon.4caab27e.js";
import { clock, julianDate, siderealTime } from "/assets/julian.aa0d8bc3.js";

const LONGITUDE = -2.91; // Kestrel Hill, degrees east

const now = new Date();
const angle = elongation(now);
const day = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "long" });

const facts = {
  phase: phaseName(angle),
  lit: `${Math.round(lit(angle) * 100)} %`,
  new: day.format(next(0, now)),
  sidereal: clock((siderealTime(now) + LONGITUDE / 15 + 24) % 24),
  julian: julianDate(now).toFixed(2),
};

for (const place of document.querySelectorAll("[data-fact]")) {
  place.textContent = facts[place.dataset.fact] ?? place.textContent;
}
for (const canvas of document.querySelectorAll("canvas[data-moon]")) {
  draw(canvas, angle);
}
document.documentElement.dataset.ready = "main";
