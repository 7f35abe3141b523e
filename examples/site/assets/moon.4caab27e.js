// The phase of the moon, good to about a quarter of a degree, and a drawing of it.
import { centuries } from "/assets/julian.aa0d8bc3.js";

const RADIANS = Math.PI / 180;

/** The angle from sun to moon along the sky, 0 to 360 degrees: 0 is new, 180 is full. */
export function elongation(date) {
  const t = centuries(date);
  const mean = 297.850_192_1 + 445_267.111_403_4 * t;
  const sun = (357.529_109_2 + 35_999.050_290_9 * t) * RADIANS;
  const moon = (134.963_396_4 + 477_198.867_505_5 * t) * RADIANS;
  const d = mean * RADIANS;
  const angle = mean
    + 6.289 * Math.sin(moon)
    - 2.1 * Math.sin(sun)
    + 1.274 * Math.sin(2 * d - moon)
    + 0.658 * Math.sin(2 * d)
    + 0.214 * Math.sin(2 * moon)
    + 0.11 * Math.sin(d);
  return ((angle % 360) + 360) % 360;
}

/** The lit part of the disc, 0 to 1. */
export function lit(angle) {
  return (1 - Math.cos(angle * RADIANS)) / 2;
}

/** What people call it. */
export function phaseName(angle) {
  const names = ["New moon", "Waxing crescent", "First quarter", "Waxing gibbous",
    "Full moon", "Waning gibbous", "Last quarter", "Waning crescent"];
  return names[Math.floor((angle + 22.5) / 45) % 8];
}

/** The next moment at which the angle is reached, by secant steps from the mean motion. */
export function next(angle, from) {
  const day = 86_400_000;
  const rate = 360 / 29.530_588_9;
  let at = from.getTime() + ((angle - elongation(from) + 360) % 360) / rate * day;
  for (let step = 0; step < 5; step += 1) {
    const off = ((angle - elongation(new Date(at)) + 540) % 360) - 180;
    at += off / rate * day;
  }
  return new Date(at);
}

/** Draws the disc as it is seen from the north. */
export function draw(canvas, angle) {
  const size = canvas.width;
  const context = canvas.getContext("2d");
  const radius = size * 0.46;
  context.translate(size / 2, size / 2);
  context.fillStyle = "#2a3350";
  context.beginPath();
  context.arc(0, 0, radius, 0, 2 * Math.PI);
  context.fill();
  const waxing = angle < 180;
  context.fillStyle = "#f4ecd8";
  context.beginPath();
  context.arc(0, 0, radius, -Math.PI / 2, Math.PI / 2, !waxing);
  const bulge = Math.cos(angle * RADIANS) * radius;
  context.ellipse(0, 0, Math.abs(bulge), radius, 0, Math.PI / 2, -Math.PI / 2, waxing === bulge > 0);
  context.fill();
}
