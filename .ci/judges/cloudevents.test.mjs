// Judge 3: the CloudEvents project's JavaScript SDK parses and validates every
// type of event, from the very bytes that go on the wire.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { checkEnvelope, contentType, judge, types } from './lib/events.mjs';
import { scratch } from './lib/process.mjs';

const lines = readFileSync(join(scratch, 'events.jsonl'), 'utf8').trim().split('\n').map((line) => JSON.parse(line));
const time = (ms) => (ms ? new Date(ms).toISOString() : null);

// dataOf is what the data of an event must be, from the facts that went in.
const dataOf = (f) => ({
  tenant: f.tenant, conferenceId: f.conferenceId, epoch: f.epoch, sequence: f.sequence, poll: { index: f.index, count: f.count },
  meeting: {
    title: f.title, startTime: time(f.startTime), status: f.status, present: f.present, ...(f.endTime && { endTime: time(f.endTime) }),
    media: { micMuted: bit(f.media, 1), cameraClosed: bit(f.media, 2), muteAll: bit(f.media, 4), code: f.media },
  },
  ...(f.participant && { participant: f.type === 'participant.forgotten' ? { key: f.participant.key } : withRoles(f.participant) }),
  labels: f.labels, exact: f.exact, reason: f.reason, provenance: f.provenance, window: window(f),
  ...(f.summary && { summary: summaryOf(f.summary) }),
});
// withRoles has a role where it is known, and otherwise none.
const withRoles = ({ roles, ...person }) => ({ ...person, ...roles });
const window = ({ after, before }) => ({ after: time(after), before: time(before) });
const moment = (m) => (m.at ? { at: time(m.at) } : window(m));
const bounds = ([min, max]) => ({ min, max: max < 0 ? null : max });
const summaryOf = (s) => ({
  startedAt: moment(s.startedAt), endedAt: moment(s.endedAt), durationMs: s.duration, attended: s.attended,
  peak: { present: s.peakPresent, at: window(s.peak) }, truncated: s.truncated, complete: s.complete,
  participants: s.people.map(({ mic, camera, visits, ...person }) => ({
    ...withRoles(person), micOpenMs: bounds(mic), cameraOpenMs: bounds(camera),
    visits: visits.map((v) => ({ joined: moment(v.joined), left: moment(v.left), how: v.how, provenance: v.provenance })),
  })),
});
const bit = (media, mask) => (BigInt(media) & BigInt(mask)) !== 0n;

describe('every type of event', () => {
  for (const flavour of ['realistic', 'hostile', 'sparse']) {
    const mine = lines.filter((line) => line.facts.flavour === flavour);
    test(`all are there with ${flavour} content`, () => {
      assert.deepEqual(mine.map((line) => line.facts.type).sort(), [...types].sort());
    });
    for (const { subject, contentType: type, data, facts } of mine) {
      test(`${facts.type} with ${flavour} content is a valid CloudEvent that says what went in`, () => {
        assert.equal(type, contentType);
        const event = judge(Buffer.from(data, 'base64'), type);
        checkEnvelope(event, subject);
        assert.equal(event.type, `rollcall.${facts.type}`);
        assert.equal(event.time, time(facts.time));
        assert.deepEqual(event.data, dataOf(facts));
      });
    }
  }
});

describe('the judge is strict', () => {
  const good = JSON.parse(Buffer.from(lines[0].data, 'base64').toString());
  const spoilt = (change) => Buffer.from(JSON.stringify({ ...good, ...change }));
  test('it accepts what is not spoilt', () => { judge(spoilt({})); });
  for (const [name, change] of [
    ['without an id', { id: undefined }], ['with an empty id', { id: '' }], ['without a type', { type: undefined }],
    ['without a source', { source: undefined }], ['with a source that is no URI', { source: 'a b{' }],
    ['of another version', { specversion: '7.0' }], ['with a subject that is empty', { subject: '' }],
    ['with a schema that is no URI', { dataschema: 'a b' }], ['with an extension that is misnamed', { Sequence_Number: '1' }],
    ['with a time that is none', { time: 'yesterday' }],
  ]) {
    test(`it refuses an event ${name}`, () => { assert.throws(() => judge(spoilt(change))); });
  }
  test('it refuses bytes that are no UTF-8, no JSON, and more than JSON', () => {
    const whole = Buffer.from(lines[0].data, 'base64');
    for (const bytes of [Buffer.from([0x22, 0xff, 0x22]), whole.subarray(1), Buffer.concat([whole, whole])]) {
      assert.throws(() => judge(bytes));
    }
  });
});
