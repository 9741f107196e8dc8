import { model, take } from './model.js';

// One EventSource a tab, closed while the tab is hidden: a browser opens six
// connections to a server, and a seventh tab must load all the same. Of more
// than four that are seen at once, the server has the others ask each second:
// it knows by the browser's name, drawn by chance, how many there are.

let source = null;
let last = ''; // the id of the last frame
let retry = 0;
let timer = 0;

function browser() {
  try {
    return (localStorage.browser ||= Math.random().toString(36).slice(2));
  } catch {
    return ''; // without storage each tab is alone
  }
}

/** follow opens the stream and calls told with what each frame changes. */
export function follow(told) {
  const open = () => {
    clearTimeout(timer);
    close();
    source = new EventSource(`/live/stream?${new URLSearchParams({ browser: browser(), after: last })}`);
    const on = (whole) => (message) => {
      retry = 0;
      last = message.lastEventId;
      told(take(JSON.parse(message.data), whole));
    };
    source.addEventListener('whole', on(true));
    source.addEventListener('tick', on(false));
    source.addEventListener('later', () => {
      close();
      timer = setTimeout(open, 1000);
    });
    source.addEventListener('error', () => {
      model.lost = true;
      close();
      retry = Math.min(retry + 1, 8);
      timer = setTimeout(open, Math.min(500 * retry, 4000) * (0.75 + Math.random() / 2));
      told(null);
    });
  };
  const close = () => {
    source?.close();
    source = null;
  };
  const shown = () => {
    model.paused = document.hidden;
    if (document.hidden) {
      clearTimeout(timer);
      close();
    } else if (!source) open();
    told(null);
  };
  document.addEventListener('visibilitychange', shown);
  addEventListener('pagehide', close);
  addEventListener('pageshow', (event) => event.persisted && shown());
  shown();
}
