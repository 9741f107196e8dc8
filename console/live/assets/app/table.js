import { el, put } from './dom.js';
import { model } from './model.js';
import { head, Line, matching, order } from './rows.js';
import { t } from './words.js';

const shownAtFirst = 1000;

/** table is the list of meetings, kept in order while rows come and go. */
export class Table {
  constructor(caption) {
    this.lines = new Map(); // by key
    this.filter = { q: '', tenant: '', label: '' };
    this.limit = shownAtFirst;
    this.body = el('tbody', { role: 'rowgroup' });
    this.more = el('button', { type: 'button', class: 'more', hidden: true, onclick: () => { this.limit += shownAtFirst; this.fill(); } });
    this.nothing = el('p', { class: 'nothing', hidden: true }, t('nothing'));
    this.node = el('div', { class: 'meetings' },
      el('table', { role: 'table' }, el('caption', { class: 'quiet' }, caption), head(), this.body), this.nothing, this.more);
    this.observer = new IntersectionObserver((entries) => {
      for (const entry of entries) {
        entry.target.line.visible = entry.isIntersecting;
        if (entry.isIntersecting) entry.target.line.beat(true);
      }
    }, { rootMargin: '200px' });
    this.fits = 0;
  }

  /** changed takes what a frame has changed. */
  changed(change) {
    if (change.whole || change.rows.length > 200) return this.fill();
    for (const key of change.gone) this.remove(key);
    let moved = false;
    for (const key of change.rows) moved = this.renew(model.rows.get(key)) || moved;
    if (moved) this.settle();
  }

  /** renew updates the line of a row; true: lines have come or gone. */
  renew(row) {
    const people = matching(row, this.filter);
    const line = this.lines.get(row.key);
    if (!people) return this.remove(row.key);
    if (line) {
      const stays = order(line.row, row) === 0 || line.row.status === row.status && line.row.over === row.over && line.row.start === row.start;
      line.update(row);
      line.find(people);
      if (stays) return false;
      this.place(line);
      return true;
    }
    if (this.lines.size >= this.limit) return true;
    const made = new Line(row, this.observer);
    made.find(people);
    this.lines.set(row.key, made);
    this.place(made);
    return true;
  }

  place(line) {
    for (const other of this.body.children) {
      if (other !== line.node && order(other.line.row, line.row) > 0) {
        this.body.insertBefore(line.node, other);
        return;
      }
    }
    this.body.append(line.node);
  }

  remove(key) {
    const line = this.lines.get(key);
    if (!line) return false;
    this.observer.unobserve(line.node);
    line.node.remove();
    return this.lines.delete(key);
  }

  /** fill shows what the filter lets through, in order. */
  fill() {
    const rows = [...model.rows.values()].filter((row) => matching(row, this.filter)).sort(order);
    this.fits = rows.length;
    const shown = new Set(rows.slice(0, this.limit).map((row) => row.key));
    for (const key of [...this.lines.keys()]) if (!shown.has(key)) this.remove(key);
    let at = this.body.firstElementChild;
    for (const row of rows.slice(0, this.limit)) {
      let line = this.lines.get(row.key);
      if (line) line.update(row);
      else this.lines.set(row.key, (line = new Line(row, this.observer)));
      line.find(matching(row, this.filter));
      if (line.node === at) at = at.nextElementSibling;
      else this.body.insertBefore(line.node, at);
    }
    this.settle();
  }

  settle() {
    let fits = 0;
    for (const row of model.rows.values()) if (matching(row, this.filter)) fits++;
    this.fits = fits;
    this.nothing.hidden = fits > 0 || model.rows.size === 0;
    this.more.hidden = fits <= this.lines.size;
    put(this.more, t('more', fits - this.lines.size));
    this.oncount?.(fits, model.rows.size);
  }

  beat() {
    for (const line of this.lines.values()) line.beat();
  }
}
