import { el, flag, put, langQuery } from './dom.js';
import { isOld, knownAt, model, now, standing } from './model.js';
import { clock, short } from './time.js';
import { lang, t } from './words.js';

/** verdict says in a word whether what is shown is true, in a sentence why, and whether none of it is. */
export function verdict() {
  const stand = standing();
  const asOf = model.frameNow ? clock(newest()) : '';
  if (stand === 'cut') return ['bad', t('cut'), asOf ? t('cut.more', asOf) : t('cut.never'), true];
  if (stand === 'nats') return ['bad', t('nats'), t('nats.more', asOf), true];
  if (stand !== 'ok') return ['wait', t(stand), t(`${stand}.more`)];
  if (!model.tenants.size) return ['wait', t('none'), t('none.more')];
  const going = [...model.rows.values()].filter((row) => !row.over);
  const old = going.filter((row) => isOld(row, stand)).length;
  const blind = [...model.tenants.values()].filter((tenant) => now() - tenant.known > tenant.promise).length;
  if (!going.length && !blind) return ['good', t('empty'), t('empty.more')];
  if (!old && going.length) return ['good', t('ok'), t('ok.more', short(Math.ceil(oldest(going) / 1000) * 1000))];
  if (old < going.length) return ['bad', t('some', old, going.length), t('some.more')];
  return ['bad', t('all'), t('all.more'), true];
}

function newest() {
  let at = 0;
  for (const tenant of model.tenants.values()) at = Math.max(at, tenant.known);
  return at || model.frameNow;
}

function oldest(rows) {
  return Math.max(0, ...rows.map((row) => now() - knownAt(row)));
}

const signs = { good: '✓', bad: '✕', wait: '…' };

/** top is the head of every page: the name, the verdict, the time. */
export function top(node, said) {
  const sign = el('span', { class: 'sign', 'aria-hidden': 'true' });
  const word = el('strong', {});
  const why = el('span', { class: 'why' });
  const box = el('div', { class: 'verdict' }, sign, el('div', {}, word, why));
  const time = el('time', { class: 'clock' });
  const fresh = el('a', { class: 'newer', href: location.href, hidden: true }, t('newer'));
  const other = new URL(location.href);
  other.searchParams.set('lang', lang === 'en' ? 'zh' : 'en');
  node.append(
    el('a', { class: 'name', href: `/${langQuery()}` }, el('img', { src: '/live/assets/app/icon.svg', alt: '', width: '28', height: '28' }), 'Rollcall'),
    box,
    time,
    el('nav', { class: 'corner' }, fresh, el('a', { href: other.href, lang: lang === 'en' ? 'zh-CN' : 'en', hreflang: lang === 'en' ? 'zh-CN' : 'en' }, t('lang.other'))),
  );
  const speak = speaker(said);
  return {
    beat() {
      const [kind, text, more, wholly] = verdict();
      put(sign, signs[kind]);
      put(word, text);
      put(why, more);
      for (const other of ['good', 'bad', 'wait']) flag(box, other, other === kind);
      flag(document.body, 'stale', Boolean(wholly));
      put(time, model.frameNow ? clock(standing() === 'cut' ? Date.now() : now()) : '');
      fresh.hidden = !model.newer;
      const count = [...model.rows.values()].filter((row) => !row.over).length;
      speak(kind === 'good' ? t('say.ok', count) : `${text}. ${kind === 'bad' ? more : ''}`);
      put(document.head.querySelector('title'), `${signs[kind]} ${kind === 'good' ? t('shown', count, count) : text} – Rollcall`);
    },
  };
}

// speaker says what is new at most every ten seconds.
function speaker(said) {
  let before = '';
  let at = -Infinity;
  return (text) => {
    if (text === before || performance.now() - at < 10_000) return;
    before = text;
    at = performance.now();
    put(said, text);
  };
}
