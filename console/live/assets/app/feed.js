import { asked, choice, el, keep, meetingPath, put } from './dom.js';
import { model } from './model.js';
import { between } from './time.js';
import { has, parts, t } from './words.js';

const shown = 100; // events at a time

const kinds = {
  __proto__: null,
  people: (type) => type.startsWith('participant.') && !kinds.devices(type),
  devices: (type) => /^participant\.(mic|camera)_/.test(type),
  meetings: (type) => type.startsWith('meeting.'),
  watch: (type) => type.startsWith('watch.'),
};

/** sentence is what happened, in words, with what strangers wrote as text. */
export function sentence(event, withMeeting = true) {
  const who = el('b', {}, event.who || '');
  const about = event.key
    ? el('a', { href: meetingPath(event.key) }, event.title || t('untitled'))
    : el('b', {}, event.shards > 1 ? `${event.tenant} ${event.shard + 1}/${event.shards}` : event.tenant);
  const key = has(event.type) ? event.type : 'unknown.event';
  const meeting = withMeeting ? about : el('span', {}, event.title || t('untitled'));
  return el('span', {}, ...parts(key, who, meeting, event.type));
}

/** feed is what just happened, the newest first; it holds still while it is read. */
export function feed() {
  const filter = { what: asked('what'), from: asked('from'), about: asked('about') };
  if (!kinds[filter.what]) filter.what = '';
  const list = el('ol', {});
  const log = el('div', { class: 'log', role: 'log', 'aria-live': 'off', 'aria-label': t('feed'), tabindex: '0' }, list);
  const more = el('button', { type: 'button', class: 'new', hidden: true, onclick: () => { held = false; over = false; fill(); } });
  const missed = el('p', { class: 'quietly', hidden: true });
  const none = el('p', { class: 'quietly' }, t('quiet'));
  const set = (name) => (value) => { filter[name] = value; keep(name, value); fill(); };
  const type = choice(t('type'), set('what'));
  const tenant = choice(t('tenant'), set('from'));
  const find = el('input', { type: 'search', autocomplete: 'off', spellcheck: 'false', value: filter.about, oninput: () => set('about')(find.value) });
  const node = el('section', { class: 'feed', 'aria-labelledby': 'feed' },
    el('div', { class: 'bar' }, el('h2', { id: 'feed' }, t('feed')), more),
    el('div', { class: 'bar' }, type.node, tenant.node, el('label', { class: 'choice' }, el('span', {}, `${t('filter.meeting')}, ${t('person')}`), find)),
    log, none, missed);
  let held = false; // under the pointer or the focus
  let over = false;
  const waiting = []; // events that came meanwhile
  log.addEventListener('pointerenter', () => { over = true; });
  log.addEventListener('pointerleave', () => { over = false; release(); });
  log.addEventListener('focusin', () => { held = true; });
  log.addEventListener('focusout', () => { held = false; release(); });
  type.set([['', t('every')], ...Object.keys(kinds).map((name) => [name, t(`kind.${name}`)])], filter.what);

  function fits(event) {
    if (filter.what && !kinds[filter.what](event.type)) return false;
    if (filter.from && event.tenant !== filter.from) return false;
    const q = filter.about.trim().toLowerCase();
    return !q || (event.who ?? '').toLowerCase().includes(q) || (event.title ?? '').toLowerCase().includes(q);
  }

  function release() {
    if (!held && !over && waiting.length) add(waiting.splice(0));
  }

  function add(events) {
    const fresh = events.filter(fits).slice(-shown).reverse().map(entry);
    list.prepend(...fresh);
    while (list.childElementCount > shown) list.lastElementChild.remove();
    settle();
  }

  function fill() {
    waiting.length = 0;
    list.replaceChildren(...model.events.filter(fits).slice(-shown).reverse().map(entry));
    settle();
  }

  function settle() {
    const count = waiting.filter(fits).length;
    more.hidden = !count;
    put(more, `${t('new', count)} – ${t('pausing')}`);
    none.hidden = list.childElementCount > 0;
    missed.hidden = !model.missed;
    put(missed, t('missed', model.missed));
  }

  return {
    node,
    changed(change) {
      const names = [...model.tenants.keys()];
      tenant.set([['', t('every')], ...names.map((name) => [name, name])], filter.from);
      tenant.node.hidden = names.length < 2 && !filter.from;
      if (held || over) waiting.push(...change.events);
      else add(change.events);
      waiting.splice(0, waiting.length - 400);
      if (held || over) settle();
    },
    beat() {},
  };
}

function entry(event) {
  const how = event.provenance === 'baseline' ? el('small', {}, t('baseline')) : null;
  return el('li', { class: event.type.replaceAll('.', '-') },
    el('time', {}, event.exact ? between(event.exact, event.exact) : between(event.provenance === 'baseline' ? event.before : event.after, event.before)), sentence(event), how);
}
