// A meeting's roster from its events, as a subscriber would keep it, after the
// event table of the README. An event that does not follow is an error.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';

const enters = { invited: 'invited', joining: 'joining', joined: 'present' };
const departs = ['left', 'kicked_out', 'invitation_lapsed', 'declined', 'join_failed'];
const roles = ['host', 'coHost', 'external', 'phone'];
const switches = {
  mic_opened: ['mic', 'open'], mic_closed: ['mic', 'closed'], camera_opened: ['camera', 'open'], camera_closed: ['camera', 'closed'],
};

// forgotten is the key under which a meeting goes on about somebody who was forgotten.
const forgotten = ({ tenant, conferenceId }, key) =>
  `forgotten-${createHash('sha256').update(`${tenant}/${conferenceId}\0${key}`).digest('hex').slice(0, 32)}`;

export class Meeting {
  constructor(record) {
    this.people = new Map((record?.roster ?? []).map((person) => [person.key, { ...person }]));
    this.sequence = record?.sequence ?? 0;
    this.epoch = record?.epoch;
    this.head = record?.meeting;
    this.open = 0; // events of the poll that are still to come
    this.entered = new Set(); // keys that entered in this poll, already with their new names
  }

  apply(event) {
    const { data } = event;
    this.epoch ??= data.epoch;
    assert.equal(data.epoch, this.epoch, `${event.id}: another epoch`);
    assert.equal(data.sequence, this.sequence + 1, `${event.id}: a hole after ${this.sequence}`);
    assert.equal(data.poll.count - data.poll.index, this.open === 0 ? data.poll.count - 1 : this.open - 1, `${event.id}: not the next of its poll`);
    if (this.open === 0) this.entered.clear();
    this.sequence = data.sequence;
    this.open = data.poll.count - data.poll.index;
    this.head = data.meeting;
    const [, entity, verb] = event.type.split('.');
    if (entity === 'participant') this.#person(event, verb, data.participant);
    if (entity === 'meeting' && verb === 'untracked') {
      assert.equal(data.meeting.present, this.roster.filter((p) => p.attendance === 'present').length, `${event.id}: not as many were there`);
      this.people.clear();
      this.head = { ...data.meeting, present: 0 };
    }
    if (entity === 'meeting' && verb === 'ended') assert.equal(this.people.size, 0, `${event.id}: people are left`);
  }

  #person(event, verb, shown) {
    const known = this.people.get(shown.key);
    if (verb in enters) {
      assert.notEqual(known?.attendance, enters[verb], `${event.id}: is so already`);
      this.entered.add(shown.key);
      this.people.set(shown.key, { ...shown, attendance: enters[verb], mic: 'closed', camera: 'closed', rejectDescription: '' });
    } else if (departs.includes(verb)) {
      const needed = verb === 'left' || verb === 'kicked_out' ? ['present'] : ['invited', 'joining', undefined];
      assert.ok(needed.includes(known?.attendance), `${event.id}: ${verb} although ${known?.attendance}`);
      this.people.delete(shown.key);
    } else if (verb in switches) {
      const [device, state] = switches[verb];
      assert.ok(known?.attendance === 'present' && known[device] !== state, `${event.id}: ${verb} cannot be`);
      known[device] = state;
    } else if (verb === 'role_changed') {
      assert.ok(known && roles.some((role) => role in shown && known[role] !== shown[role]), `${event.id}: no other role`);
      for (const role of roles) if (role in shown) known[role] = shown[role];
    } else if (verb === 'forgotten') {
      assert.deepEqual(Object.keys(shown), ['key']);
      for (const [key, person] of this.people) if (forgotten(event.data, key) === shown.key) {
        this.people.delete(key);
        this.people.set(shown.key, { ...person, key: shown.key, userId: shown.key, nick: '', rejectDescription: '' });
      }
    } else {
      assert.equal(verb, 'renamed');
      assert.ok(known && (known.nick !== shown.nick || this.entered.has(shown.key)), `${event.id}: no other name`);
      known.nick = shown.nick;
    }
  }

  // roster is sorted by key, bytewise.
  get roster() {
    return [...this.people.values()].sort((a, b) => Buffer.compare(Buffer.from(a.key), Buffer.from(b.key)));
  }
}
