import { el } from './dom.js';
import { sentence } from './feed.js';
import { between, clock, short } from './time.js';
import { has, t } from './words.js';

/** eventTable lists a meeting's events: when, how known, and how late. */
export function eventTable(events) {
  return el('table', { role: 'table', class: 'events' },
    el('caption', { class: 'quiet' }, t('events')),
    el('thead', {}, el('tr', {}, ...['seq', 'when', 'what', 'prov', 'late.head'].map((name) => el('th', { scope: 'col' }, t(name))))),
    el('tbody', {}, ...events.map((event) => el('tr', { id: `e${event.id.split('/').at(-1)}` },
      el('th', { scope: 'row' }, String(event.seq)),
      el('td', {}, event.exact ? clock(event.exact) : between(event.after, event.before)),
      el('td', {}, sentence(event, false), event.text ? el('small', {}, ` ${t('said', event.text)}`) : null),
      el('td', {}, t(`prov.${event.provenance}`)),
      el('td', {}, late(event))))));
}

// late answers: how late did we know this, and why.
function late(event) {
  if (event.provenance === 'baseline') return t('late.baseline');
  if (event.provenance === 'reconciled') return t('late.reconciled');
  if (event.exact) return t('late.exact', short(event.late));
  if (event.blind) return t('late.blind', short(event.late), has(`why.${event.blind}`) ? t(`why.${event.blind}`) : event.blind);
  return t(event.provenance === 'inferred' ? 'late.inferred' : 'late.observed', short(Math.max(0, event.late)));
}
