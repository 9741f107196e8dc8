import { el, flag, put } from './dom.js';
import { isTenantOld, model, now, standing } from './model.js';
import { clock, short } from './time.js';
import { has, lang, t } from './words.js';

const number = new Intl.NumberFormat(lang);

/** strip shows each organization: whether somebody looks, how old, and what runs out. */
export function strip() {
  const cards = new Map();
  const list = el('ul', {});
  const node = el('section', { class: 'strip', 'aria-label': t('tenants') }, list);
  return {
    node,
    beat() {
      for (const [name, card] of cards) {
        if (model.tenants.has(name)) continue;
        card.node.remove();
        cards.delete(name);
      }
      const stand = standing();
      for (const tenant of model.tenants.values()) {
        let card = cards.get(tenant.name);
        if (!card) {
          cards.set(tenant.name, (card = new Card(tenant.name)));
          list.append(card.node);
        }
        card.beat(tenant, stand);
      }
    },
  };
}

/** why says in words how it stands with a tenant. */
export function why(tenant) {
  const text = has(`why.${tenant.why}`) ? t(`why.${tenant.why}`) : tenant.why;
  return tenant.blind && tenant.since ? t('why.since', text, clock(tenant.since)) : text;
}

class Card {
  constructor(name) {
    this.sign = el('span', { class: 'sign', 'aria-hidden': 'true' });
    this.state = el('span', {});
    this.age = el('dd', {});
    this.next = el('dd', {});
    this.pace = el('span', {});
    this.tracked = el('span', {});
    this.workers = el('span', {});
    this.calls = el('span', {});
    this.gone = el('span', {});
    this.spent = el('span', { class: 'spent' });
    this.even = el('span', { class: 'even' });
    this.burn = el('div', { class: 'burn', 'aria-hidden': 'true' }, this.spent, this.even);
    this.node = el('li', {},
      el('h2', {}, name), el('p', { class: 'state' }, this.sign, this.state),
      el('dl', {}, el('div', {}, el('dt', {}, t('answered')), this.age), el('div', {}, el('dt', {}, t('next')), this.next)),
      el('p', { class: 'facts' }, this.pace, this.tracked, this.workers),
      el('div', { class: 'budget' }, this.burn, el('p', { class: 'facts' }, this.calls, this.gone)));
  }

  beat(tenant, stand) {
    const old = isTenantOld(tenant, stand);
    const blind = tenant.blind || tenant.why !== 'ok';
    flag(this.node, 'old', old);
    put(this.sign, old || blind ? '✕' : '✓');
    put(this.state, blind ? `${t(tenant.blind ? 'blind' : 'late')}: ${why(tenant)}` : old ? t('late') : t('looked'));
    const at = tenant.known;
    put(this.age, !at ? t('never') : old ? t('asof', clock(at)) : t('ago', short(Math.floor((now() - at) / 1000) * 1000)));
    const due = tenant.lastPass + tenant.pace - now();
    put(this.next, stand !== 'ok' || !tenant.lastPass ? '–' : due > 0 ? t('in', short(Math.ceil(due / 1000) * 1000)) : t('due'));
    put(this.pace, tenant.pace ? t('pace', short(tenant.pace)) : '');
    put(this.tracked, t('tracked', tenant.tracked));
    this.account(tenant.book);
  }

  account(book) {
    put(this.workers, !book ? t('workers.unknown') : book.workers.length ? t('workers', book.workers.length, Math.max(book.shards, 1)) : t('workers.none'));
    const counted = book && !book.unlimited && book.limit > 0;
    this.burn.hidden = !counted;
    put(this.calls, counted ? t('budget.of', number.format(book.spent + book.reserved), number.format(book.limit)) : book?.unlimited ? t('unlimited') : '');
    if (!counted) return put(this.gone, '');
    const spent = (100 * (book.spent + book.reserved)) / book.limit;
    const gone = (100 * (now() - book.from)) / (book.until - book.from);
    this.spent.style.width = `${Math.min(100, spent).toFixed(1)}%`;
    this.even.style.left = `${Math.min(100, Math.max(0, gone)).toFixed(1)}%`;
    flag(this.burn, 'ahead', spent > gone + 1);
    put(this.gone, t('budget.gone', spent.toFixed(spent < 10 ? 1 : 0), gone.toFixed(0)));
  }
}
