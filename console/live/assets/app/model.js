// What is known, and whether it is still true. Everything on the page asks here.

/** cutAfter is how long the stream may be silent; it speaks once a second. */
export const cutAfter = 2500;
const keptEvents = 400;

export const model = {
  rows: new Map(), // by key
  tenants: new Map(), // by name
  events: [], // oldest first
  link: { ok: true, synced: false },
  version: document.documentElement.dataset.version,
  newer: false, // another version serves now
  missed: 0, // events that were too many to be sent
  frameAt: -Infinity, // when the last frame came, by performance.now()
  frameNow: 0, // what time it was then, by the server's clock
  paused: false, // the tab is hidden, and reads nothing
  lost: false, // the stream has ended
};

const seen = new Set(); // ids of events

/** take adds a frame, and returns what changed. */
export function take(frame, whole) {
  model.frameAt = performance.now();
  model.frameNow = frame.now;
  model.link = frame.link;
  model.lost = false;
  const changed = { rows: [], gone: frame.gone ?? [], tenants: Boolean(frame.tenants), events: [], whole };
  if (whole) {
    model.newer = frame.version !== model.version;
    const now = new Set((frame.rows ?? []).map((row) => row.key));
    changed.gone = [...model.rows.keys()].filter((key) => !now.has(key));
    changed.tenants = true;
  }
  for (const row of frame.rows ?? []) {
    model.rows.set(row.key, row);
    changed.rows.push(row.key);
  }
  for (const key of changed.gone) model.rows.delete(key);
  if (frame.tenants || whole) model.tenants = new Map((frame.tenants ?? []).map((tenant) => [tenant.name, tenant]));
  for (const event of frame.events ?? []) {
    if (seen.has(event.id)) continue;
    seen.add(event.id);
    model.events.push(event);
    changed.events.push(event);
  }
  model.missed += frame.missed ?? 0;
  for (const event of model.events.splice(0, Math.max(0, model.events.length - keptEvents))) seen.delete(event.id);
  return changed;
}

/** now is the time by the server's clock. */
export function now() {
  return model.frameNow + (performance.now() - model.frameAt);
}

/** standing says whether what is shown can be true: reading, paused, cut, nats or ok. */
export function standing() {
  if (model.paused) return 'paused';
  if (model.frameAt === -Infinity) return model.lost ? 'cut' : 'reading';
  if (model.lost || performance.now() - model.frameAt > cutAfter) return 'cut';
  if (!model.link.ok) return 'nats';
  return model.link.synced ? 'ok' : 'reading';
}

/** knownAt is when a meeting was as it is shown, at the latest known. */
export function knownAt(row) {
  if (row.over) return row.seen;
  return Math.max(row.seen, model.tenants.get(row.tenant)?.known ?? 0);
}

/** isOld says whether a row is beyond what the tenant's pace promises. */
export function isOld(row, stand = standing()) {
  if (stand !== 'ok') return true;
  if (row.over) return false;
  const tenant = model.tenants.get(row.tenant);
  return !tenant || now() - knownAt(row) > tenant.promise;
}

/** isTenantOld is isOld of all that is known of a tenant. */
export function isTenantOld(tenant, stand = standing()) {
  return stand !== 'ok' || tenant.blind || now() - tenant.known > tenant.promise;
}
