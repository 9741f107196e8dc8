import { el } from './dom.js';
import { targets } from './targets.js';
import { t } from './words.js';

/** charts draw how old what is shown was, and the calls of the month, while they are open. */
export function charts() {
  let tenant = '';
  let timer = 0;
  let drawn = [];
  const place = el('div', { class: 'plots' });
  const node = el('details', { class: 'charts', ontoggle: () => (node.open ? load() : stop()) }, el('summary', {}, t('charts')), place);
  const dark = matchMedia('(prefers-color-scheme: dark)');
  dark.addEventListener('change', () => node.open && load());
  addEventListener('resize', () => drawn.forEach((plot) => plot.setSize(size())));

  function stop() {
    clearTimeout(timer);
  }

  async function load() {
    stop();
    timer = setTimeout(load, 60_000);
    try {
      const [series, told] = await Promise.all([read('/live/charts'), read('/live/targets')]);
      if (series) draw(series[tenant]);
      place.append(targets(told ?? []) ?? '');
    } catch { /* the head of the page says that there is no connection */ }
  }

  async function read(path) {
    const answer = await fetch(path);
    return answer.ok ? answer.json() : null;
  }

  function size() {
    return { width: Math.max(240, Math.min(560, place.clientWidth || 400)), height: 180 };
  }

  function draw(series) {
    drawn.forEach((plot) => plot.destroy());
    drawn = [];
    place.replaceChildren();
    if (!series?.at.length || typeof uPlot === 'undefined') {
      place.append(el('p', { class: 'quietly' }, t('chart.none')));
      return;
    }
    plot(t('chart.age'), [series.at, series.median.map((ms) => ms / 1000), series.p95.map((ms) => ms / 1000)], [t('median'), t('p95')]);
    if (series.limit > 0) {
      const even = series.at.map((at) => (series.limit * (at * 1000 - series.from)) / (series.until - series.from));
      plot(t('chart.calls'), [series.at, series.spent.map((n) => (n < 0 ? null : n)), even], [t('spent'), t('even')]);
    }
  }

  function plot(title, data, names) {
    const figure = el('figure', {}, el('figcaption', {}, title));
    place.append(figure);
    const ink = getComputedStyle(document.body).getPropertyValue('--ink').trim();
    const main = getComputedStyle(document.body).getPropertyValue('--accent').trim();
    const grid = { stroke: ink, grid: { stroke: `${ink}22` }, ticks: { stroke: `${ink}22` } };
    const options = {
      ...size(), axes: [grid, { ...grid, size: 60 }], legend: { live: false },
      tzDate: (at) => new Date(at * 1000),
      series: [{}, { label: names[0], stroke: main, width: 2, points: { show: data[0].length < 3 } }, { label: names[1], stroke: ink, width: 1, dash: [4, 4], points: { show: false } }],
      scales: { y: { range: (_, low, high) => [0, Math.max(1, high * 1.1)] } },
    };
    drawn.push(new uPlot(options, data, figure));
  }

  return {
    node,
    only(name) {
      if (name === tenant) return;
      tenant = name;
      if (node.open) load();
    },
  };
}
