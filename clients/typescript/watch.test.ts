// watch against a nats-server with the rights of deploy's ROLLCALL_READER. The
// server's program is named by NATS_SERVER; .ci/clients builds it.
import { jetstreamManager, type JetStreamManager } from '@nats-io/jetstream';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { GapError, watch, type Known, type Meetings, type Person, type StoredRecord, type Update } from './index.ts';

const permissions = fileURLToPath(new URL('../../../deploy/nats/permissions.conf', import.meta.url));
const dir = mkdtempSync(join(tmpdir(), 'rollcall-watch-'));
const stop = new AbortController();
const updates: Update[] = [];
const troubles: Error[] = [];
let port: number, server: ChildProcess, admin: NatsConnection, reader: NatsConnection, jsm: JetStreamManager, meetings: Meetings;

async function serve(): Promise<void> {
  server = spawn(process.env['NATS_SERVER'] ?? 'nats-server', ['-c', join(dir, 'nats.conf')], { stdio: 'ignore' });
  await once(server, 'spawn');
}

async function kill(): Promise<void> {
  server.kill('SIGKILL');
  await once(server, 'exit');
}

const as = (user: string, inboxPrefix: string) =>
  connect({ servers: `127.0.0.1:${port}`, user, pass: 'secret', inboxPrefix, maxReconnectAttempts: -1, reconnectTimeWait: 100, waitOnFirstConnect: true });

async function eventually(what: string, is: () => boolean): Promise<void> {
  for (const limit = Date.now() + 60_000; !is(); await pause(10)) {
    assert.ok(Date.now() < limit, `after a minute still not: ${what}; trouble: ${troubles.join('; ')}`);
  }
}

async function administer(): Promise<void> {
  admin = await as('admin', '_INBOX.admin');
  jsm = await jetstreamManager(admin);
}

const makeStream = () => jsm.streams.add({ name: 'MEETINGS', subjects: ['meetings.>'], allow_direct: true });

const person = (key: string): Person => ({ key, userId: key, nick: `N ${key}`, attendance: 'present', mic: 'closed', camera: 'closed', rejectDescription: '', session: 1 });

// A meeting as a worker writes it.
class Written {
  record: StoredRecord;

  constructor(conferenceId: string, epoch = 1_700_000_000_000) {
    const media = { micMuted: false, cameraClosed: false, muteAll: false, code: 0 };
    this.record = {
      schema: 1, tenant: 'acme', conferenceId, epoch, sequence: 0, observedAt: new Date().toISOString(), term: 1, poll: 1, labels: {},
      meeting: { title: 'Weekly', startTime: null, status: 'started', media, present: 0 }, roster: [], memory: [], misses: 0, partial: null,
      endReason: '', endedAt: null, summarized: false, untracked: false, statusUnknown: false,
    };
  }

  // tell stores an event; the record is written by save.
  async tell(verb: string, who: Person): Promise<void> {
    const { tenant, conferenceId, epoch, meeting, labels } = this.record;
    const sequence = ++this.record.sequence;
    const event = {
      specversion: '1.0', type: `rollcall.participant.${verb}`, dataschema: 'rollcall:event:1',
      data: { tenant, conferenceId, epoch, sequence, poll: { index: 1, count: 1 }, meeting, labels, participant: who, reason: '', provenance: 'observed' },
    };
    await this.#publish(`meetings.event.${tenant}.${conferenceId}.participant.${verb}`, event);
  }

  async join(...keys: string[]): Promise<void> {
    for (const key of keys) {
      this.record.roster.push(person(key));
      await this.tell('joined', person(key));
    }
  }

  async save(): Promise<void> {
    await this.#publish(`meetings.state.acme.${this.record.conferenceId}`, this.record);
  }

  async #publish(subject: string, value: object): Promise<void> {
    admin.publish(subject, JSON.stringify(value));
    await admin.flush();
  }

  get known(): Known | undefined {
    return meetings.get('acme', this.record.conferenceId);
  }

  get folded(): boolean {
    return this.known?.epoch === this.record.epoch && this.known.sequence === this.record.sequence;
  }

  check(): void {
    assert.deepEqual(this.known?.people, this.record.roster);
  }
}

before(async () => {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  port = (probe.address() as AddressInfo).port;
  probe.close();
  copyFileSync(permissions, join(dir, 'permissions.conf')); // an include is relative
  writeFileSync(join(dir, 'nats.conf'), `
    listen: "127.0.0.1:${port}"
    jetstream { store_dir: ${JSON.stringify(join(dir, 'store'))} }
    include ./permissions.conf
    accounts { ROLLCALL { jetstream: enabled, users: [
      { user: admin, password: secret }
      { user: reader, password: secret, permissions: $ROLLCALL_READER }
    ] } }`);
  await serve();
  await administer();
  reader = await as('reader', '_INBOX.reader');
  await makeStream();
}, { timeout: 60_000 });

after(async () => {
  stop.abort();
  await Promise.allSettled([reader?.close(), admin?.close()]);
  await kill();
  rmSync(dir, { recursive: true, force: true });
});

const weekly = new Written('weekly');

test('lists more meetings than one batch of direct gets has', { timeout: 120_000 }, async () => {
  await weekly.join('a', 'b');
  await weekly.save();
  const partial = new Written('partial');
  partial.record.partial = { provenance: 'observed', windowAfter: null };
  await partial.save();
  for (let i = 0; i < 1500; i++) await new Written(`c${i}`).save();
  admin.publish('meetings.status.acme', JSON.stringify({ schema: 1, tenant: 'acme', state: 'ok', lastGoodPoll: null, lastPass: null, pace: '15s', tracked: 1, at: '' }));
  await admin.flush();
  meetings = watch(reader, { signal: stop.signal, onChange: (u) => updates.push(u), onTrouble: (error) => troubles.push(error) });
  await meetings.synced;
  assert.equal(meetings.list().length, 1502);
  assert.equal(meetings.status('acme')?.state, 'ok');
  weekly.check();
});

test('follows the events, and they lead to the record', { timeout: 120_000 }, async () => {
  await weekly.join('c');
  const [a] = weekly.record.roster;
  a!.mic = 'open';
  await weekly.tell('mic_opened', a!);
  await weekly.tell('kicked_out', weekly.record.roster.splice(1, 1)[0]!);
  await weekly.tell('waved', a!); // of a type that nobody knows
  await weekly.save();
  const late = new Written('late');
  await late.join('a');
  await late.save();
  await eventually('the later meeting is there', () => late.folded);
  weekly.check();
  assert.deepEqual(meetings.present('a').map((m) => m.conferenceId).sort(), ['late', 'weekly']);
  assert.deepEqual([meetings.repairs, troubles], [0, []]);
});

test('goes on from the record behind a gap', { timeout: 120_000 }, async () => {
  weekly.record.sequence++;
  await weekly.join('d', 'e');
  await eventually('the gap is told', () => troubles.length === 1);
  assert.ok(troubles[0] instanceof GapError);
  assert.deepEqual([troubles[0].want, troubles[0].got], [weekly.record.sequence - 2, weekly.record.sequence - 1]);
  weekly.record.partial = { provenance: 'observed', windowAfter: null };
  await weekly.save(); // is awaited
  weekly.record.partial = null;
  await weekly.join('f');
  await weekly.save();
  await eventually('the record is read', () => weekly.folded);
  weekly.check();
  assert.deepEqual([meetings.repairs, troubles.length], [1, 1]);
});

test('finds out when the events do not lead to the record', { timeout: 120_000 }, async () => {
  weekly.record.roster[0]!.nick = 'other';
  await weekly.save();
  await eventually('it is told', () => troubles.length === 2);
  weekly.check();
  assert.equal(meetings.repairs, 2);
  assert.match(troubles[1]!.message, /do not lead to its record/);
});

test('begins anew with an epoch', { timeout: 120_000 }, async () => {
  const again = new Written('weekly', weekly.record.epoch + 1);
  await again.join('y');
  await again.save();
  await eventually('the epoch is there', () => again.folded);
  again.check();
  assert.deepEqual([meetings.repairs, troubles.length], [2, 2]);
  Object.assign(weekly, { record: again.record });
});

test('goes on when its broker was killed', { timeout: 120_000 }, async () => {
  await admin.close();
  await kill();
  await serve();
  await administer();
  await weekly.join('z');
  await weekly.save();
  await eventually('what came then is there', () => weekly.folded);
  weekly.check();
  assert.equal(meetings.repairs, 2);
});

test('reads everything when the stream was made anew', { timeout: 120_000 }, async () => {
  const before = meetings.list().length;
  await jsm.streams.delete('MEETINGS');
  await makeStream();
  const fresh = new Written('fresh');
  await fresh.join('a');
  await fresh.save();
  await eventually('nothing else is there', () => meetings.list().length === 1 && fresh.folded);
  assert.equal(updates.filter((u) => u.kind === 'dropped').length, before);
  fresh.check();
});
