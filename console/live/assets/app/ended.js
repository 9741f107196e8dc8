import { el } from './dom.js';
import { head, Line } from './rows.js';
import { t } from './words.js';

/** ended lists the meetings that are over, read when somebody opens it. */
export function ended() {
  const body = el('tbody', { role: 'rowgroup' });
  const node = el('details', { class: 'meetings ended', ontoggle: () => node.open && load() },
    el('summary', {}, t('over')),
    el('table', { role: 'table' }, el('caption', { class: 'quiet' }, t('over')), head(), body));
  async function load() {
    try {
      const answer = await fetch('/live/ended');
      if (!answer.ok) return;
      body.replaceChildren(...(await answer.json()).map((row) => new Line(row).node));
    } catch { /* the head of the page says that there is no connection */ }
  }
  return { node };
}
