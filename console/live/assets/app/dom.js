// What strangers write comes into the page as text nodes and in no other way.

/** el makes an element; strings among the children become text. */
export function el(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === false || value === null || value === undefined) continue;
    if (name.startsWith('on')) made.addEventListener(name.slice(2), value);
    else made.setAttribute(name, value === true ? '' : value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined && child !== false));
  return made;
}

/** put changes a text only where it differs, so that nothing is laid out in vain. */
export function put(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/** flag sets or takes a class only where that changes it. */
export function flag(node, name, on) {
  if (node.classList.contains(name) !== on) node.classList.toggle(name, on);
}

/** choice is a labelled select; options are [value, text] and may change. */
export function choice(label, onchange) {
  const select = el('select', { onchange: () => onchange(select.value) });
  let before = '';
  return {
    node: el('label', { class: 'choice' }, el('span', {}, label), select),
    set(options, value) {
      const now = JSON.stringify(options);
      if (now !== before) {
        before = now;
        select.replaceChildren(...options.map(([v, text]) => el('option', { value: v }, text)));
      }
      if (select.value !== value) select.value = value;
    },
  };
}

/** meetingPath is where a meeting's page is. */
export function meetingPath(key) {
  const slash = key.indexOf('/');
  return `/meeting/${encodeURIComponent(key.slice(0, slash))}/${encodeURIComponent(key.slice(slash + 1))}${langQuery()}`;
}

/** langQuery keeps the language that the address names. */
export function langQuery() {
  const lang = new URLSearchParams(location.search).get('lang');
  return lang ? `?lang=${encodeURIComponent(lang)}` : '';
}

/** asked is what the address says of a filter. */
export function asked(name) {
  return new URLSearchParams(location.search).get(name) ?? '';
}

/** keep writes a filter into the address, so that a reload or a link keeps it. */
export function keep(name, value) {
  const url = new URL(location.href);
  if (value) url.searchParams.set(name, value);
  else url.searchParams.delete(name);
  history.replaceState(null, '', url);
}
