// Judge 2: nats.js follows `rollcall run` as a microservice would, as a plain
// subscriber and as a JetStream consumer, and gets what was promised.
import { AckPolicy, DeliverPolicy, jetstream, jetstreamManager } from '@nats-io/jetstream';
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { checkEnvelope, contentType, judge, token } from './lib/events.mjs';
import { Meeting } from './lib/fold.mjs';
import { eventually } from './lib/process.mjs';
import { app, simulate } from './lib/simulator.mjs';
import { tenant, work } from './lib/worker.mjs';

const stream = 'MEETINGS';
const ids = ['judge-plain', 'judge.*.> %2E', 'judge/会议 "3"', 'scripted'];
const endings = ['status', 'omitted', 'resource_closed', 'status'];
const state = (id) => `meetings.state.${tenant}.${token(id)}`;

let sim, worker, reader, nc, jsm;
const core = [], pulled = [], records = [];
let late; // a subscriber that comes in the middle

before(async () => {
  sim = await simulate('--meetings', '0', '--rate', '15', '--seed', '5');
  ({ worker, reader, first: nc } = await work(sim.address, ids));
  jsm = await eventually('the stream is there', async () => {
    const manager = await jetstreamManager(nc);
    return manager.streams.info(stream).then(() => manager, () => null);
  }, [worker]);
  collect(nc, core);
  await nc.flush();
  await pull();
  // Only now does anything happen: both miss nothing.
  for (const id of ids) await sim.act('create', id, { title: `of ${id}`, people: id === 'scripted' ? 0 : 8 });
  await watch();
}, { timeout: 300_000 });

after(async () => {
  await Promise.allSettled([nc?.close(), late?.nc.close()]);
  await Promise.allSettled([worker?.stop(), sim?.stop()]);
});

const message = (m, seq) => ({ subject: m.subject, seq, contentType: m.headers?.get('Content-Type'), bytes: Buffer.from(m.data) });

function collect(connection, into) {
  connection.subscribe('meetings.event.>', {
    callback: (error, m) => into.push(error ?? message(m, Number(m.headers.get('Nats-Sequence')))),
  });
}

// pull is a durable consumer that acknowledges what it has taken.
async function pull() {
  const config = { durable_name: 'judge', filter_subject: 'meetings.event.>', deliver_policy: DeliverPolicy.All, ack_policy: AckPolicy.Explicit };
  await jsm.consumers.add(stream, config);
  const consumer = await jetstream(nc).consumers.get(stream, 'judge');
  await consumer.consume({ callback: (m) => { pulled.push(message(m, m.seq)); m.ack(); } });
}

const read = async (id) => (await jsm.direct.getMessage(stream, { last_by_subj: state(id) }))?.json();
const typesOf = (messages) => new Set(messages.map((m) => m.subject.split('.').slice(-2).join('.')));

// watch lets things happen until enough has, and reads records between.
async function watch() {
  const mei = { userId: 'union.mei', nick: '美 <b>' };
  for (const act of ['invite', 'join', 'mic_on', 'camera_on', 'mic_off', 'mic_on', 'kick', 'invite', 'decline', 'call']) {
    await sim.act(act, 'scripted', mei);
    await settled();
  }
  await eventually('each meeting has people', () => Promise.all(ids.map(read)).then((all) => all.every((r) => r?.roster.length > 0)), [worker]);
  late = await join();
  const enough = core.length + 60;
  await eventually('sixty more events arrive', () => core.length >= enough && pulled.length >= enough, [worker, sim.process]);
  await settled();
  await Promise.all(ids.map((id, n) => sim.act('end', id, { endStyle: endings[n] })));
  const over = (messages) => messages.filter((m) => m.subject?.endsWith('.meeting.summarized')).length === ids.length;
  await eventually('every meeting is over, and summarized, for all', () => [core, pulled, late.events].every(over) && core.length === pulled.length, [worker]);
  await settled();
}

// settled waits for a poll that began later than now, which is the second to
// end from now on, and keeps all records.
async function settled() {
  const asked = Date.now();
  let first = Infinity;
  await eventually('a poll is over', async () => {
    const status = (await jsm.direct.getMessage(stream, { last_by_subj: `meetings.status.${tenant}` }))?.json();
    const ended = Date.parse(status?.lastGoodPoll ?? 0);
    if (ended > asked) first = Math.min(first, ended);
    return ended > first;
  }, [worker]);
  for (const id of ids) {
    const record = await read(id);
    if (record) records.push(record);
  }
}

// join is the documented resync: subscribe first, then read the records.
async function join() {
  const joined = { nc: await reader(), events: [], from: {} };
  collect(joined.nc, joined.events);
  await joined.nc.flush();
  for (const id of ids) joined.from[id] = await read(id);
  return joined;
}

// follow folds messages to meetings, and each state after a whole poll.
function follow(messages, from = {}) {
  const meetings = new Map(ids.map((id) => [id, new Meeting(from[id])]));
  const states = new Map();
  for (const m of messages) {
    const event = judge(m.bytes, m.contentType);
    const meeting = meetings.get(event.data.conferenceId);
    if (event.data.sequence <= (from[event.data.conferenceId]?.sequence ?? 0)) continue;
    meeting.apply(event);
    if (meeting.open === 0) states.set(`${event.data.conferenceId} ${meeting.sequence}`, { roster: structuredClone(meeting.roster), meeting: meeting.head });
  }
  return { meetings, states };
}

describe('what a subscriber gets', { timeout: 60_000 }, () => {
  test('is the same for a plain subscriber and a durable consumer', () => {
    assert.ok(core.length > 80, `only ${core.length} events`);
    assert.ok(typesOf(core).size >= 12, `only ${[...typesOf(core)]}`);
    assert.deepEqual(core, pulled);
  });

  test('is the same for an ordered consumer that comes last', async () => {
    const replayed = [];
    const consumer = await jetstream(nc).consumers.get(stream, { filter_subjects: ['meetings.event.>'] });
    const messages = await consumer.consume({ callback: (m) => replayed.push(message(m, m.seq)) });
    await eventually('all is replayed', () => replayed.length >= core.length, [worker]);
    messages.stop();
    assert.deepEqual(replayed, core);
  });

  test('is valid CloudEvents in an envelope as documented', () => {
    for (const m of core) {
      assert.equal(m.contentType, contentType);
      const event = judge(m.bytes, m.contentType);
      checkEnvelope(event, m.subject);
      assert.equal(event.data.tenant, tenant);
      assert.ok(ids.includes(event.data.conferenceId));
    }
    const all = core.map((m) => judge(m.bytes).id);
    assert.equal(new Set(all).size, all.length, 'an id is there twice');
  });

  test('tells what was scripted, in that order', () => {
    const told = core.filter((m) => m.subject.includes('.scripted.')).map((m) => m.subject.split('.').at(-1))
      .filter((verb) => verb !== 'role_changed'); // known whenever a list of members was read
    assert.deepEqual(told, [
      'initialized', 'invited', 'started', 'start_time_changed', 'joined', 'mic_opened', 'camera_opened', 'mic_closed', 'mic_opened',
      'mic_closed', 'camera_closed', 'kicked_out', 'invited', 'declined', 'joining', 'invitation_lapsed', 'ended',
      'summarized',
    ]);
  });

  test('is gapless for each meeting, poll by poll, and nothing is false', () => {
    const { meetings } = follow(core);
    for (const [id, meeting] of meetings) {
      assert.ok(meeting.sequence > 10, `${id}: ${meeting.sequence} events`);
      assert.equal(meeting.open, 0, `${id}: the last poll is not whole`);
      assert.deepEqual([meeting.head.status, meeting.head.present, meeting.roster], ['ended', 0, []]);
    }
    assert.equal([...meetings.values()].reduce((sum, m) => sum + m.sequence, 0), core.length);
  });

  test('folds to the records that direct get gave meanwhile', () => {
    const { states } = follow(core);
    const met = new Set();
    for (const record of records) {
      assert.equal(record.schema, 1);
      const want = states.get(`${record.conferenceId} ${record.sequence}`);
      assert.ok(want, `no poll of ${record.conferenceId} ends with ${record.sequence}`);
      assert.deepEqual({ roster: record.roster, meeting: record.meeting }, want);
      assert.equal(record.meeting.present, record.roster.filter((p) => p.attendance === 'present').length);
      met.add(`${record.conferenceId} ${record.sequence}`);
    }
    assert.ok(met.size >= 10, `only ${met.size} states were compared`);
    assert.ok(records.some((r) => r.roster.some((p) => p.mic === 'open')), 'no microphone was ever open');
  });

  test('is enough for one who comes in the middle', () => {
    const whole = follow(core).states;
    const { meetings, states } = follow(late.events, late.from);
    assert.ok(states.size > 5, `only ${states.size} polls after joining`);
    for (const [key, got] of states) assert.deepEqual(got, whole.get(key), key);
    for (const id of ids) {
      assert.ok(late.from[id].roster.length > 0 && late.from[id].sequence > 0);
      assert.equal(meetings.get(id).head.status, 'ended');
    }
  });
});

// violation waits for the server to refuse what act tries.
async function violation(act) {
  const own = await reader();
  const seen = [];
  const watching = (async () => { for await (const status of own.status()) if (status.type === 'error') seen.push(status.error); })();
  try {
    await act(own);
    await own.flush(); // what the server says against it comes before its pong
    return await eventually('the server refuses', () => seen.find((e) => e.name === 'PermissionViolationError'), [worker], 3000);
  } finally {
    await own.close();
    await watching;
  }
}

describe('a reader', { timeout: 120_000 }, () => {
  const forged = `${tenant}.${token(ids[0])}`;
  for (const subject of [
    `rollcall.MEETINGS.commit.event.${forged}.participant.joined`, `rollcall.MEETINGS.commit.state.${forged}`, 'rollcall.MEETINGS.commit.x',
    `meetings.event.${forged}.participant.joined`, `meetings.state.${forged}`, `meetings.status.${tenant}`, 'meetings.x',
    '$KV.MEETINGS_WORKERS.x',
  ]) {
    test(`may not publish to ${subject}`, async () => {
      const before = core.length;
      const refused = await violation((own) => own.publish(subject, 'forged'));
      assert.deepEqual([refused.operation, refused.subject], ['publish', subject]);
      await assert.rejects(jetstream(nc).publish(subject, 'forged', { timeout: 2000, retries: 1 }));
      await nc.flush();
      for await (const m of await stored()) assert.notEqual(Buffer.from(m.data).toString(), 'forged', m.subject);
      assert.equal(core.length, before);
    });
  }

  test('may publish elsewhere: it is not the connection that refuses', async () => {
    const got = [];
    const own = nc.subscribe('elsewhere', { callback: (_, m) => got.push(m.string()) });
    nc.publish('elsewhere', 'hello');
    await eventually('it arrives', () => got.length === 1);
    own.unsubscribe();
  });

  test('may not see what is not committed yet', async () => {
    const refused = await violation((own) => own.subscribe('rollcall.MEETINGS.commit.>', { callback: () => {} }));
    assert.deepEqual([refused.operation, refused.subject], ['subscription', 'rollcall.MEETINGS.commit.>']);
  });

  for (const [what, act] of [
    ['delete the stream', (m) => m.streams.delete(stream)], ['purge it', (m) => m.streams.purge(stream)],
    ['delete a message', (m) => m.streams.deleteMessage(stream, core[0].seq)],
    ['change it', (m) => m.streams.update(stream, { max_msgs: 1 })],
  ]) {
    test(`may not ${what}`, async () => {
      const own = await reader();
      const manager = await jetstreamManager(own, { timeout: 2000 });
      await assert.rejects(act(manager), /[Pp]ermissions? [Vv]iolation/);
      await own.close();
      const first = await jsm.direct.getMessage(stream, { seq: core[0].seq });
      assert.deepEqual(Buffer.from(first.data), core[0].bytes);
    });
  }
});

// stored are the last messages of every subject of the stream.
const stored = () => jsm.direct.getLastMessagesFor(stream, { multi_last: ['meetings.>'], batch: 1000 });

test('the worker stops in order, and its log keeps the secret', { timeout: 120_000 }, async () => {
  assert.deepEqual(await worker.stop(), { code: 0, signal: null });
  assert.ok(worker.err.includes('worker started'), 'the log is not there');
  assert.ok(!worker.err.includes(app.secret) && !worker.out.includes(app.secret));
  await nc.closed();
});
