import { el, flag, put } from './dom.js';
import { model, standing } from './model.js';
import { order } from './rows.js';
import { strip } from './tenants.js';
import { Table } from './table.js';
import { t } from './words.js';

const turnEvery = 10_000;

/** kiosk is for a wall: no controls, large type, one screen after the other. */
export function kiosk(main) {
  const table = new Table(t('meetings'));
  table.filter.going = true;
  const tenants = strip();
  const pages = el('p', { class: 'pages' });
  main.append(el('h1', { class: 'quiet' }, t('meetings')), table.node, pages, tenants.node);
  let page = 0;
  let turned = performance.now();
  let still = false; // the space bar holds the page
  document.addEventListener('keydown', (event) => {
    if (event.key === ' ') still = !still;
    if (event.key === 'ArrowRight') turn();
  });
  if (navigator.wakeLock) navigator.wakeLock.request('screen').catch(() => {}); // a screen that may sleep sleeps

  function turn() {
    page += 1;
    turned = performance.now();
  }

  function show() {
    const lines = [...table.lines.values()].sort((a, b) => order(a.row, b.row));
    const height = lines[0]?.node.offsetHeight || Math.max(...lines.map((line) => line.node.offsetHeight), 1);
    const room = innerHeight - table.body.getBoundingClientRect().top - scrollY - tenants.node.offsetHeight - 48;
    const fit = Math.max(1, Math.floor(room / Math.max(height, 40)));
    const count = Math.max(1, Math.ceil(lines.length / fit));
    if (!still && performance.now() - turned > turnEvery) turn();
    page %= count;
    lines.forEach((line, i) => {
      const on = Math.floor(i / fit) === page;
      flag(line.node, 'away', !on);
      line.visible = on;
    });
    put(pages, count > 1 ? t('page', page + 1, count) : '');
  }

  return {
    changed(change) {
      table.changed(change);
    },
    beat() {
      table.beat();
      tenants.beat();
      tenants.node.hidden = standing() === 'ok' && [...model.tenants.values()].every((tenant) => !tenant.blind && tenant.why === 'ok');
      show();
    },
  };
}
