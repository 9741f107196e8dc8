import { el } from './dom.js';
import { now } from './model.js';
import { clock, lasting } from './time.js';
import { t } from './words.js';

/** targets is the table of those whom the forwarder tells; null where there are none. */
export function targets(all) {
  if (!all.length) return null;
  const heads = ['target', 'state', 'messages', 'waiting', 'last.sent'];
  return el('figure', {}, el('figcaption', {}, t('targets')), el('table', { role: 'table', class: 'events' },
    el('caption', { class: 'quiet' }, t('targets')),
    el('thead', {}, el('tr', {}, ...heads.map((head) => el('th', { scope: 'col' }, t(head))))),
    el('tbody', {}, ...all.map((one) => el('tr', {},
      el('th', { scope: 'row' }, one.name, el('small', {}, ` ${one.kind}`)),
      el('td', {}, one.trouble ? `✕ ${t('target.trouble', one.reason || one.trouble, clock(one.since))}` : `✓ ${t('target.ok')}`),
      el('td', {}, one.monthly < 0 ? String(one.sent) : t('budget.of', one.sent, one.monthly)),
      el('td', {}, !one.waiting ? '–' : one.oldest ? t('target.waiting', one.waiting, lasting(now() - one.oldest)) : String(one.waiting)),
      el('td', {}, one.lastSent ? clock(one.lastSent) : t('never')))))));
}
