// Days and dates, as astronomers count them.

/** The Julian date of a moment: days since noon at Greenwich on 1 January 4713 BC. */
export function julianDate(date) {
  return date.getTime() / 86_400_000 + 2_440_587.5;
}

/** Julian centuries since the epoch J2000. */
export function centuries(date) {
  return (julianDate(date) - 2_451_545) / 36_525;
}

/** Mean sidereal time at Greenwich, in hours from 0 to 24. */
export function siderealTime(date) {
  const days = julianDate(date) - 2_451_545;
  const hours = 18.697_374_558 + 24.065_709_824_419_08 * days;
  return ((hours % 24) + 24) % 24;
}

/** Hours as a clock shows them. */
export function clock(hours) {
  const minutes = Math.floor(hours * 60);
  return `${String(Math.floor(minutes / 60)).padStart(2, "0")}:${String(minutes % 60).padStart(2, "0")}`;
}
