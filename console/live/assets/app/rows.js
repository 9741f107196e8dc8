import { el, flag, meetingPath, put } from './dom.js';
import { isOld, knownAt, model, now } from './model.js';
import { clock, hour, lasting, short } from './time.js';
import { t } from './words.js';

/** order is where a row stands: what goes on first, by its start, then what is over. */
export function order(a, b) {
  return rank(a) - rank(b) || (a.start || a.first) - (b.start || b.first) || (a.key < b.key ? -1 : 1);
}

function rank(row) {
  if (row.over) return 2;
  return row.status === 'started' ? 0 : 1;
}

/** title is what a meeting is called. */
export function title(row) {
  return row.title || t('untitled');
}

/** line is the table row of one meeting, patched and never made anew. */
export class Line {
  constructor(row, observer) {
    this.link = el('a', { href: meetingPath(row.key) });
    this.tags = el('span', { class: 'tags' });
    this.found = el('span', { class: 'found' });
    this.since = el('span', {});
    this.lasts = el('small', {});
    this.count = el('b', {});
    this.awaited = el('small', {});
    this.mics = el('span', {});
    this.sign = el('span', { class: 'sign', 'aria-hidden': 'true' });
    this.age = el('span', { class: 'age' });
    this.node = el('tr', { role: 'row' },
      el('th', { role: 'rowheader', scope: 'row' }, this.link, this.tags, this.found),
      cell('since', this.since, this.lasts), cell('present', this.count, this.awaited), cell('mics', this.mics), cell('known', this.sign, this.age));
    this.node.line = this;
    this.visible = !observer;
    observer?.observe(this.node);
    this.update(row);
  }

  update(row) {
    this.row = row;
    put(this.link, title(row));
    const tags = [row.tenant, ...Object.entries(row.labels ?? {}).map(([k, v]) => `${k}=${v}`)];
    put(this.tags, tags.join(' · '));
    put(this.count, row.over ? '–' : String(row.present));
    put(this.awaited, row.over || row.status !== 'started' && !row.present ? '' : t('awaited', row.invited - row.present));
    put(this.mics, row.over ? '–' : t('open', row.mics));
    flag(this.mics, 'on', row.mics > 0);
    flag(this.node, 'over', Boolean(row.over));
    flag(this.node, 'planned', row.status !== 'started' && !row.over);
    this.beat(true);
  }

  /** find shows where in the meeting somebody is who was searched for. */
  find(people) {
    put(this.found, people.map(whereabouts).join(', '));
  }

  /** beat lets the row grow older; one that nobody sees is only marked. */
  beat(all) {
    const row = this.row;
    const old = isOld(row);
    flag(this.node, 'old', old);
    if (!all && !this.visible) return;
    put(this.since, sinceText(row));
    put(this.lasts, row.status === 'started' && !row.over ? lasting(now() - (row.start || row.first)) : '');
    put(this.sign, old ? '✕' : row.over ? '' : '✓');
    put(this.age, ageText(row, old));
  }
}

function cell(name, ...children) {
  return el('td', { role: 'cell', class: name, 'data-head': t(name) }, ...children);
}

/** sinceText says since when a meeting goes on. */
export function sinceText(row) {
  if (row.over) return t(row.status === 'untracked' ? 'untracked' : 'ended', hour(row.end));
  if (row.status !== 'started') return row.start ? t('planned.at', hour(row.start)) : t('planned');
  return row.start ? hour(row.start) : `${t('first')} ${hour(row.first)}`;
}

/** ageText says how old a row is, or as of when where that is too old. */
export function ageText(row, old) {
  if (row.over && !old) return '–';
  return old ? t('asof', clock(knownAt(row))) : t('ago', short(Math.floor((now() - knownAt(row)) / 1000) * 1000));
}

/** whereabouts is one line about a person. */
export function whereabouts(person) {
  const words = [t(`here.${person.a}`)];
  if (person.m) words.push(t('mic.on'));
  if (person.c) words.push(t('camera.on'));
  return `${person.n}: ${words.join(', ')}`;
}

/** head is the table's head. */
export function head() {
  return el('thead', { role: 'rowgroup' }, el('tr', { role: 'row' },
    ...['meeting', 'since', 'present', 'mics', 'known'].map((name) => el('th', { role: 'columnheader', scope: 'col', class: name }, t(name)))));
}

/** matching returns the people of a row who match, or null where the row does not. */
export function matching(row, filter) {
  if (filter.going && row.over) return null;
  if (filter.tenant && row.tenant !== filter.tenant) return null;
  if (filter.label && !Object.entries(row.labels ?? {}).some(([k, v]) => `${k}=${v}` === filter.label)) return null;
  const q = filter.q.trim().toLowerCase();
  if (!q) return [];
  const people = (row.people ?? []).filter((person) => person.n.toLowerCase().includes(q));
  return people.length || title(row).toLowerCase().includes(q) ? people.slice(0, 4) : null;
}

/** labels are all that any meeting has. */
export function labels() {
  const all = new Set();
  for (const row of model.rows.values()) for (const [k, v] of Object.entries(row.labels ?? {})) all.add(`${k}=${v}`);
  return [...all].sort();
}
