// What Rollcall's README promises of an event's envelope, written down from
// the contract and not from the encoder.
import assert from 'node:assert/strict';
import { CloudEvent, HTTP } from 'cloudevents';

export const contentType = 'application/cloudevents+json';

// The event table: 13 types of meetings, 15 of participants.
export const types = [
  ...['initialized', 'started', 'title_changed', 'start_time_changed', 'mute_all_enforced', 'mute_all_lifted', 'mic_muted',
    'mic_unmuted', 'camera_closed', 'camera_opened', 'ended', 'untracked', 'summarized'].map((verb) => `meeting.${verb}`),
  ...['invited', 'joining', 'joined', 'left', 'kicked_out', 'invitation_lapsed', 'declined', 'join_failed', 'mic_opened',
    'mic_closed', 'camera_opened', 'camera_closed', 'renamed', 'role_changed', 'forgotten'].map((verb) => `participant.${verb}`),
];

// token is a value as one token of a subject.
export const token = (value) => [...Buffer.from(value, 'utf8')]
  .map((byte) => (/[A-Za-z0-9_-]/.test(String.fromCharCode(byte)) ? String.fromCharCode(byte) : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`))
  .join('');

// judge reads an event as any other program does: from its bytes and its
// content type, strictly. It gives the CloudEvent.
export function judge(bytes, type = contentType) {
  const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  const strict = new CloudEvent(JSON.parse(text)); // strict: throws a ValidationError
  assert.equal(strict.validate(), true);
  const message = { headers: { 'content-type': type }, body: text };
  assert.ok(HTTP.isEvent(message), 'the message must be seen to be an event');
  const event = HTTP.toEvent(message);
  assert.equal(event.validate(), true);
  assert.deepEqual(event.toJSON(), strict.toJSON());
  return event;
}

// checkEnvelope holds an event's attributes against its own data.
export function checkEnvelope(event, subject) {
  const d = event.data;
  const conference = token(d.conferenceId);
  const sequence = String(d.sequence).padStart(12, '0');
  const type = event.type.replace(/^rollcall\./, '');
  assert.ok(types.includes(type), `${event.type} is not in the table`);
  assert.equal(event.type, `rollcall.${type}`);
  assert.deepEqual(
    {
      specversion: event.specversion, id: event.id, source: event.source, subject: event.subject, dataschema: event.dataschema,
      datacontenttype: event.datacontenttype, sequence: event.sequence, partitionkey: event.partitionkey,
      epoch: event.epoch, tenant: event.tenant,
    },
    {
      specversion: '1.0', id: `${d.tenant}/${conference}/${d.epoch}-${sequence}`, source: `/rollcall/${d.tenant}/${conference}`,
      subject: d.participant ? `${conference}/${token(d.participant.key)}` : conference, dataschema: 'rollcall:event:1',
      datacontenttype: 'application/json', sequence, partitionkey: d.conferenceId, epoch: String(d.epoch), tenant: d.tenant,
    });
  assert.equal(Boolean(d.participant), type.startsWith('participant.'));
  assert.equal(subject, `meetings.event.${d.tenant}.${conference}.${type}`);
  assert.match(event.time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  assert.ok(d.window.after === null || d.window.after <= d.window.before, 'the window must not end before it begins');
  assert.ok(1 <= d.poll.index && d.poll.index <= d.poll.count);
}
