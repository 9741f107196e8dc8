import { el, flag, langQuery, put } from './dom.js';
import { isOld, knownAt, model, now } from './model.js';
import { ageText, sinceText, title } from './rows.js';
import { eventTable } from './events.js';
import { axis, person } from './bars.js';
import { lasting } from './time.js';
import { t } from './words.js';

/** meeting is the page of one meeting: people on a time axis, and what happened. */
export function meeting(main) {
  const [, , tenant, token] = location.pathname.split('/');
  const key = `${decodeURIComponent(tenant)}/${decodeURIComponent(token)}`;
  const path = `/live/meeting/${tenant}/${token}`;
  const h1 = el('h1', {}, '…');
  const tags = el('p', { class: 'tags' });
  const facts = Object.fromEntries(['present', 'since', 'mics', 'known'].map((name) => [name, fact(name)]));
  const notes = el('p', { class: 'notes' });
  const chart = el('div', { class: 'chart' });
  const events = el('div', { class: 'told' });
  main.append(
    el('p', { class: 'up' }, el('a', { href: `/${langQuery()}` }, `← ${t('back')}`)),
    el('div', { class: 'title' }, h1, tags),
    el('div', { class: 'facts' }, ...Object.values(facts).map((f) => f.node)),
    notes,
    el('section', { class: 'part', 'aria-labelledby': 'people' }, el('h2', { id: 'people' }, t('people')), chart),
    el('section', { class: 'part', 'aria-labelledby': 'events' }, el('h2', { id: 'events' }, t('events')), events));

  let row = null; // from the stream, or from the answer where it is over for long
  let line = null; // the answer
  let drawn = []; // people, to be stretched as time goes on
  let loading = false;
  let wanted = '';
  let failedAt = -Infinity;

  // load reads the meeting again where it has changed, one question at a time.
  async function load() {
    const version = row ? `${row.first}-${row.seq}-${row.over}` : 'first';
    if (loading || version === wanted || performance.now() - failedAt < 2000) return;
    loading = true;
    try {
      const answer = await fetch(path);
      if (answer.status === 404) return missing();
      if (!answer.ok) throw new Error(answer.statusText);
      line = await answer.json();
      if (!row || !model.rows.has(key)) row = line.row;
      wanted = version === 'first' ? `${row.first}-${row.seq}-${row.over}` : version;
      draw();
    } catch {
      failedAt = performance.now();
      if (!line) put(notes, t('failed'));
    } finally {
      loading = false;
    }
  }

  function missing() {
    put(h1, t('missing'));
    put(notes, t('missing.more'));
    wanted = row ? wanted : 'first';
    failedAt = performance.now() + 10_000;
  }

  function draw() {
    const known = knownAt(row);
    const scale = axis(line.from, row.over ? row.end : Math.max(now(), known));
    drawn = line.people.map((one) => person(one, scale, known, row.over));
    chart.replaceChildren(scale.legend, el('table', { role: 'table', class: 'people' },
      el('caption', { class: 'quiet' }, t('people')),
      el('thead', {}, el('tr', {}, el('th', { scope: 'col' }, t('who')), el('th', { scope: 'col' }, t('state')), el('th', { scope: 'col', class: 'track' }, scale.ticks),
        el('th', { scope: 'col' }, t('stay')), el('th', { scope: 'col' }, t('mic.for')))),
      el('tbody', {}, ...drawn)));
    events.replaceChildren(eventTable(line.events ?? []));
    const said = [...(line.media ?? []).map((word) => t(`media.${word}`))];
    if (line.partial) said.push(t('partial'));
    if (line.more) said.push(t('cut.people', line.more));
    if (line.cut) said.push(t('cut.events', line.cut));
    put(notes, said.join(' · '));
  }

  let stretched = 0;
  return {
    changed(change) {
      if (model.rows.has(key)) row = model.rows.get(key);
      if (change.whole || change.rows.includes(key) || change.gone.includes(key)) load();
    },
    beat() {
      if (model.frameNow && (!line || failedAt > -Infinity && row && `${row.first}-${row.seq}-${row.over}` !== wanted)) load();
      if (!row) return;
      const old = isOld(row);
      flag(main, 'old', old);
      put(h1, title(row));
      put(tags, [row.tenant, ...Object.entries(row.labels ?? {}).map(([k, v]) => `${k}=${v}`)].join(' · '));
      facts.present.set(row.over ? '–' : String(row.present), row.over ? '' : t('awaited', row.invited - row.present));
      facts.since.set(sinceText(row), row.status === 'started' && !row.over ? lasting(now() - (row.start || row.first)) : '');
      facts.mics.set(row.over ? '–' : t('open', row.mics), row.cameras ? t('cameras', row.cameras) : '');
      facts.known.set(`${row.over ? '' : old ? '✕ ' : '✓ '}${ageText(row, old)}`, '');
      if (line && !row.over && !old && performance.now() - stretched > 5000) {
        stretched = performance.now();
        draw();
      }
    },
  };
}

function fact(name) {
  const value = el('b', {});
  const small = el('small', {});
  return {
    node: el('div', { class: `fact ${name}` }, el('span', {}, t(name)), value, small),
    set(text, more) {
      put(value, text);
      put(small, more);
    },
  };
}
