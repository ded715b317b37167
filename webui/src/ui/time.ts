const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
const thisYear = new Intl.DateTimeFormat(undefined, { weekday: "long", day: "numeric", month: "long" });
const otherYear = new Intl.DateTimeFormat(undefined, { weekday: "long", day: "numeric", month: "long", year: "numeric" });
const whole = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "short" });
const shortDay = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short" });

/** Hours and minutes of a time on the wire. */
export function hours(time: string): string {
  return clock.format(new Date(time));
}

/** Day and time in full, for tooltips. */
export function fullTime(time: string): string {
  return whole.format(new Date(time));
}

/** A day such as 2026-11-23 in words, with its year when that is not the present one. */
export function dayInWords(day: string, now = new Date()): string {
  const date = new Date(`${day}T12:00:00`);
  return (date.getFullYear() === now.getFullYear() ? thisYear : otherYear).format(date);
}

/** The time of today's messages, the day of older ones. */
export function shortTime(time: string, now = new Date()): string {
  const date = new Date(time);
  return date.toDateString() === now.toDateString() ? clock.format(date) : shortDay.format(date);
}
