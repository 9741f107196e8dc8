import { charts } from './charts.js';
import { asked, choice, el, keep, langQuery, put } from './dom.js';
import { feed } from './feed.js';
import { model } from './model.js';
import { labels } from './rows.js';
import { strip } from './tenants.js';
import { Table } from './table.js';
import { t } from './words.js';
import { ended } from './ended.js';

/** overview is the page that one keeps open: organizations, meetings, and what just happened. */
export function overview(main) {
  const table = new Table(t('meetings'));
  const tenants = strip();
  const news = feed();
  const drawn = charts();
  const over = ended();
  const count = el('span', { class: 'count' });
  table.oncount = (some, all) => put(count, all ? t('shown', some, all) : '');

  const search = el('input', { type: 'search', id: 'search', name: 'q', autocomplete: 'off', spellcheck: 'false', placeholder: t('search.hint'), oninput: () => filter({ q: search.value }) });
  const tenant = choice(t('tenant'), (value) => filter({ tenant: value }));
  const label = choice(t('label'), (value) => filter({ label: value }));
  for (const name of ['q', 'tenant', 'label']) table.filter[name] = asked(name);
  search.value = table.filter.q;

  function filter(some) {
    Object.assign(table.filter, some);
    for (const [name, value] of Object.entries(some)) keep(name, value);
    table.fill();
    options();
  }

  function options() {
    const names = [...model.tenants.keys()];
    tenant.set([['', t('every')], ...names.map((name) => [name, name])], table.filter.tenant);
    tenant.node.hidden = names.length < 2 && !table.filter.tenant;
    const all = labels();
    if (table.filter.label && !all.includes(table.filter.label)) all.push(table.filter.label);
    label.set([['', t('every')], ...all.map((text) => [text, text])], table.filter.label);
    label.node.hidden = !all.length;
    drawn.only(table.filter.tenant || names[0]);
  }

  document.addEventListener('keypress', (event) => { // not keydown, after which the slash itself would come
    const typing = event.target instanceof HTMLElement && event.target.matches('input, select, textarea');
    if (event.key !== '/' || typing || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    search.focus();
    search.select();
  });
  search.addEventListener('keydown', (event) => {
    if (event.key !== 'Escape') return;
    search.value = '';
    filter({ q: '' });
  });

  const kiosk = new URL('/?kiosk', location.href);
  main.append(
    tenants.node,
    el('div', { class: 'columns' },
      el('section', { class: 'left', 'aria-labelledby': 'meetings' },
        el('div', { class: 'bar' },
          el('h1', { id: 'meetings' }, t('meetings')), count,
          el('label', { class: 'choice search', for: 'search' }, el('span', {}, t('search')), search), tenant.node, label.node),
        table.node, over.node, drawn.node),
      news.node),
    el('footer', {},
      el('a', { href: `${kiosk.pathname}?kiosk${langQuery().replace('?', '&')}` }, t('kiosk')), ' · ',
      el('a', { href: '/readyz' }, t('health')),
      'hidden' in document.documentElement.dataset ? ` · ${t('initials')}` : ''),
  );
  return {
    changed(change) {
      if (change.tenants || change.whole || change.rows.length) options();
      table.changed(change);
      news.changed(change);
    },
    beat() {
      table.beat();
      tenants.beat();
      news.beat();
    },
  };
}
