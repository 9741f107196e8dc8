import { lang, t } from './words.js';

const style = (options) => new Intl.DateTimeFormat(lang, { hourCycle: 'h23', ...options });
const seconds = style({ hour: '2-digit', minute: '2-digit', second: '2-digit' });
const minutes = style({ hour: '2-digit', minute: '2-digit' });
const days = style({ month: 'short', day: 'numeric' });

/** clock is a time of day with seconds, and the day where that is another one. */
export function clock(ms) {
  return day(ms) + seconds.format(ms);
}

/** hour is a time of day with minutes, and the day where that is another one. */
export function hour(ms) {
  return day(ms) + minutes.format(ms);
}

let spokenDay = ['', 0]; // today's text, and until when it holds
function day(ms) {
  const now = Date.now();
  if (now > spokenDay[1]) spokenDay = [days.format(now), now + 10_000];
  const text = days.format(ms);
  return text === spokenDay[0] ? '' : `${text} `;
}

/** lasting is a length of time in its two largest units: 34 min, 2 h 05 min. */
export function lasting(ms) {
  const s = Math.max(0, Math.round(ms / 1000));
  if (s < 60) return t('s', s);
  const m = Math.floor(s / 60);
  if (m < 60) return t('min', m);
  const h = Math.floor(m / 60);
  if (h < 48) return t('h', h, m % 60);
  return t('d', Math.floor(h / 24));
}

/** short is a length of time with a tenth below ten seconds: 1.5 s. */
export function short(ms) {
  if (ms < 10_000) return t('s', (Math.max(0, ms) / 1000).toFixed(ms < 9_950 && ms % 1000 ? 1 : 0));
  if (ms < 600_000) return ms < 120_000 ? t('s', Math.round(ms / 1000)) : t('ms', Math.floor(ms / 60_000), Math.round((ms % 60_000) / 1000));
  return lasting(ms);
}

/** between is a window: one time where it is narrow, otherwise both ends. */
export function between(after, before) {
  if (!after) return t('by', clock(before));
  if (before - after < 2000 && clock(after) === clock(before)) return clock(before);
  return `${clock(after)}–${clock(before)}`;
}
