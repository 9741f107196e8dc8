import { el } from './dom.js';
import { hour, short, clock, between } from './time.js';
import { t } from './words.js';

/** axis maps times onto the width of the bars. */
export function axis(from, to) {
  const end = Math.max(to, from + 60_000);
  const at = (ms) => Math.min(100, Math.max(0, (100 * (ms - from)) / (end - from)));
  const ticks = el('div', { class: 'ticks', 'aria-label': t('axis', clock(from), clock(end)) });
  const steps = [10, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 28800, 86400].map((s) => s * 1000);
  const most = innerWidth < 640 ? 2 : 6; // labels that have room
  const step = steps.find((s) => (end - from) / s <= most) ?? steps.at(-1);
  for (let ms = Math.ceil(from / step) * step; ms < end; ms += step) {
    if (at(ms) > (most > 2 ? 94 : 60)) break;
    const tick = el('span', {}, step < 60_000 ? clock(ms) : hour(ms));
    tick.style.left = `${at(ms)}%`;
    ticks.append(tick);
  }
  const key = (name, text) => el('span', {}, el('span', { class: `key ${name}` }), t(text));
  const legend = el('p', { class: 'legend' },
    key('visit', 'legend.sure'), key('window', 'legend.window'), key('mic', 'legend.mic'), key('camera', 'legend.camera'), el('span', {}, t('legend.mark')));
  return { from, end, at, ticks, legend };
}

/** person is a table row: who, how it stands, the bars, and in words how long. */
export function person(one, scale, known, over) {
  const track = el('div', { class: 'bars' });
  const draw = (spans, name) => {
    for (const span of spans ?? []) track.append(...bar(span, name, scale, known, over));
  };
  draw(one.visits, 'visit');
  draw(one.mic, 'mic');
  draw(one.camera, 'camera');
  for (const mark of one.marks ?? []) track.append(sign(mark, scale));
  const words = [t(`here.${one.here ?? ''}`)];
  for (const name of ['mic', 'camera']) if (one.here === 'present' && one[name]?.some((span) => !span.to)) words.push(t(`${name}.on`));
  for (const mark of one.marks ?? []) words.push(`${t(`mark.${mark.kind}`)} ${between(mark.at[0], mark.at[1])}`);
  return el('tr', { class: one.here === 'present' ? '' : 'away' },
    el('th', { scope: 'row', title: one.user }, one.name),
    el('td', {}, words.join(', ')), el('td', { class: 'track' }, track, spoken(one)),
    el('td', {}, one.visits ? range(one.stay) : '–'), el('td', {}, one.visits ? range(one.micOpen) : '–'));
}

// bar draws a span: solid where it is certain, fading where it lies between two looks.
function bar(span, name, scale, known, over) {
  const [after, before] = span.from;
  const to = span.to ?? (over ? [scale.end, scale.end] : [known, scale.end]);
  const left = after || scale.from;
  const lost = to[1] || scale.end;
  const sure = Math.max(before, to[0]);
  const pieces = [];
  if (after && before > left) pieces.push(piece(name, 'in', scale, left, Math.min(before, lost)));
  if (!after && before > scale.from) pieces.push(piece(name, 'in', scale, scale.from, before));
  if (to[0] > before) pieces.push(piece(name, 'sure', scale, before, to[0]));
  if (lost > sure) pieces.push(piece(name, span.to ? 'out' : 'on', scale, sure, lost));
  return pieces;
}

function piece(name, kind, scale, from, to) {
  const node = el('span', { class: `${name} ${kind}` });
  node.style.left = `${scale.at(from)}%`;
  node.style.width = `${Math.max(0.15, scale.at(to) - scale.at(from) + (kind === 'in' ? 0.06 : 0))}%`;
  return node;
}

function sign(mark, scale) {
  const node = el('span', { class: `mark ${mark.kind}`, title: `${t(`mark.${mark.kind}`)} ${between(mark.at[0], mark.at[1])}` },
    { kicked_out: '✕', declined: '○', join_failed: '!' }[mark.kind]);
  node.style.left = `${Math.min(98.5, scale.at(mark.at[1]))}%`;
  return node;
}

// spoken is what the bars show, for whoever cannot see them.
function spoken(one) {
  const visits = (one.visits ?? []).map((span) => t('visit', one.name, between(span.from[0], span.from[1]),
    span.to ? (span.to[1] ? between(span.to[0], span.to[1]) : clock(span.to[0])) : t('until.now'), t(`how.${span.how ?? ''}`)));
  return el('span', { class: 'quiet' }, visits.join('; '));
}

/** range is the least and the most that a time can be. */
function range([least, most]) {
  if (most < 0) return t('least', short(least));
  if (!most) return t('zero');
  return least === most || short(least) === short(most) ? short(least) : t('range', short(least), short(most));
}
