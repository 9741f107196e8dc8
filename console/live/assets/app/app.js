import { model } from './model.js';
import { follow } from './stream.js';
import { top } from './top.js';
import { kiosk } from './kiosk.js';
import { overview } from './overview.js';
import { meeting } from './meeting.js';

const main = document.getElementById('main');
const head = top(document.getElementById('top'), document.getElementById('said'));
const view = pick();

function pick() {
  if (location.pathname.startsWith('/meeting/')) return meeting(main);
  return document.body.classList.contains('kiosk') ? kiosk(main) : overview(main);
}

// A frame changes rows; each second everything counts up by itself, so that
// silence makes what is shown older and not younger.
follow((changed) => {
  if (changed) view.changed(changed);
  beat();
  if (changed?.whole) restore();
});
setInterval(beat, 500);

function beat() {
  head.beat();
  view.beat();
  if (model.newer && document.body.classList.contains('kiosk')) location.reload();
}

// A reload keeps the place, which a page that fills itself would not.
const place = `place ${location.pathname}${location.search}`;
let restored = false;
addEventListener('pagehide', () => {
  try {
    sessionStorage.setItem(place, String(scrollY));
  } catch { /* without storage it begins at the top */ }
});
function restore() {
  if (restored) return;
  restored = true;
  try {
    const y = Number(sessionStorage.getItem(place));
    if (y > 0) scrollTo(0, y);
  } catch { /* as above */ }
}
history.scrollRestoration = 'manual';
