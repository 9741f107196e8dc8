// Who is in which meeting: the fold of Rollcall's events. It is that of the Go
// package consume; docs/events.md is the contract. Names and titles are written
// by strangers: escape them where you show them.
import { createHash } from 'node:crypto';
import type { Event, Meeting, Person, StoredRecord } from './types.ts';

const schema = 'rollcall:event:1';

const came: { [type: string]: Person['attendance'] } = {
  'rollcall.participant.invited': 'invited',
  'rollcall.participant.joining': 'joining',
  'rollcall.participant.joined': 'present',
};
const gone = new Set(['left', 'kicked_out', 'invitation_lapsed', 'declined', 'join_failed'].map((verb) => `rollcall.participant.${verb}`));
const over = new Set(['rollcall.meeting.ended', 'rollcall.meeting.untracked']);

/** An event or a record whose schema this program is too old for. */
export class NewerError extends Error {
  override name = 'NewerError';
}

/** Events of a meeting are missing: read its record, and go on from there. */
export class GapError extends Error {
  override name = 'GapError';
  readonly meeting: string;
  readonly epoch: number;
  readonly want: number;
  readonly got: number;

  constructor(meeting: string, epoch: number, want: number, got: number) {
    super(`events of ${JSON.stringify(meeting)} are missing: ${got} came, ${want} was next; read its record`);
    this.meeting = meeting;
    this.epoch = epoch;
    this.want = want;
    this.got = got;
  }
}

/** What an event did: nothing since it was applied before, or it began another epoch. */
export type Change = 'repeated' | 'applied' | 'anew';

/** The name of a meeting, tenant/conferenceId, of an event's data or a record. */
export const nameOf = (data: { tenant: string; conferenceId: string }): string => `${data.tenant}/${data.conferenceId}`;

/** Whether the event tells what was there at the first look, and not what happened. */
export const asFound = (event: Event): boolean => event.data.provenance === 'baseline';

/** Whether somebody who was in the meeting is so no more. */
export const isGone = (event: Event): boolean =>
  event.type === 'rollcall.participant.left' || event.type === 'rollcall.participant.kicked_out';

/** The key under which a meeting goes on about somebody who was forgotten. */
export const forgotten = ({ tenant, conferenceId }: { tenant: string; conferenceId: string }, key: string): string =>
  'forgotten-' + createHash('sha256').update(`${tenant}/${conferenceId}\0${key}`).digest('hex').slice(0, 32);

/** Who is in one meeting. What it returns never changes. */
export class Roster {
  /** Unix time in ms at which the meeting was first recorded; 0: nothing is known yet. */
  epoch = 0;
  /** That of the last event applied. */
  sequence = 0;
  /** What the last event or record says of the meeting as a whole. */
  meeting?: Meeting;
  /** Those of whoever tracks the meeting. */
  labels: StoredRecord['labels'] = {};
  #people = new Map<string, Person>();

  /** The roster of a stored record, to which the events after its sequence apply. */
  static of(record: StoredRecord): Roster {
    if (record.schema > 1) throw new NewerError(`a record of schema ${record.schema}`);
    const roster = new Roster();
    roster.epoch = record.epoch;
    roster.sequence = record.sequence;
    roster.meeting = record.meeting;
    roster.labels = record.labels;
    if (!isOver(record)) roster.#people = new Map(record.roster.map((person) => [person.key, person]));
    return roster;
  }

  /** Folds the meeting's next event. GapError and NewerError change nothing. */
  apply(event: Event): Change {
    if (!event.data.conferenceId) return 'repeated'; // it is of a whole tenant, as rollcall.watch.lost
    if (event.dataschema !== schema) throw new NewerError(`an event of schema ${JSON.stringify(event.dataschema)}`);
    const { data } = event;
    const anew = data.epoch > this.epoch;
    const want = anew ? 1 : this.sequence + 1;
    if (data.epoch < this.epoch || data.sequence < want) return 'repeated';
    if (data.sequence !== want) throw new GapError(nameOf(data), data.epoch, want, data.sequence);
    if (anew) this.#people.clear();
    this.epoch = data.epoch;
    this.sequence = want;
    this.meeting = data.meeting ?? this.meeting; // an unknown type need not have one
    this.labels = data.labels ?? this.labels;
    this.#happen(event);
    return anew ? 'anew' : 'applied';
  }

  #happen(event: Event): void {
    if (over.has(event.type)) this.#people.clear();
    if (!('participant' in event.data)) return;
    if (event.type === 'rollcall.participant.forgotten') {
      this.#forget(event.data, event.data.participant.key);
      return;
    }
    const told = event.data.participant;
    const attendance = came[event.type];
    if (attendance) { // as of this event; the event shows the person as after its poll
      this.#people.set(told.key, { ...told, attendance, mic: 'closed', camera: 'closed', rejectDescription: '' });
    } else if (gone.has(event.type)) {
      this.#people.delete(told.key);
    } else {
      const person = this.#people.get(told.key);
      if (person) this.#people.set(told.key, { ...person, ...altered(event) });
    }
  }

  #forget(meeting: { tenant: string; conferenceId: string }, as: string): void {
    for (const [key, person] of this.#people) {
      if (forgotten(meeting, key) !== as) continue;
      this.#people.delete(key);
      this.#people.set(as, { ...person, key: as, userId: as, nick: '', rejectDescription: '' });
      return;
    }
  }

  /** Those who are invited, joining or present, sorted by key. */
  get people(): Person[] {
    return [...this.#people.values()].sort((a, b) => (a.key < b.key ? -1 : 1));
  }

  /** Those who are in the meeting now, sorted by key. */
  get present(): Person[] {
    return this.people.filter((person) => person.attendance === 'present');
  }

  /** Whether both say the same of the same people, at the same event. */
  equals(other: Roster): boolean {
    return this.epoch === other.epoch && this.sequence === other.sequence && this.#people.size === other.#people.size &&
      [...other.#people.values()].every((person) => same(person, this.#people.get(person.key)));
  }
}

/** Whether the record's meeting is over for Rollcall: it ended or was untracked. */
export const isOver = (record: StoredRecord): boolean => record.untracked || record.meeting.status === 'ended';

// Members that are newer than this program are no difference.
const members = ['userId', 'nick', 'attendance', 'mic', 'camera', 'rejectDescription', 'session', 'host', 'coHost', 'external', 'phone'] as const;
type Missing = Exclude<keyof Person, 'key' | (typeof members)[number]>;
([] as Missing[]) satisfies never[]; // does not compile where a member is missing above: does an event alter it?
const same = (a: Person, b?: Person): boolean => b !== undefined && members.every((member) => a[member] === b[member]);

function altered(event: Event): Partial<Person> {
  switch (event.type) {
    case 'rollcall.participant.mic_opened': return { mic: 'open' };
    case 'rollcall.participant.mic_closed': return { mic: 'closed' };
    case 'rollcall.participant.camera_opened': return { camera: 'open' };
    case 'rollcall.participant.camera_closed': return { camera: 'closed' };
    case 'rollcall.participant.renamed': return { nick: event.data.participant.nick };
    case 'rollcall.participant.role_changed': {
      const { host, coHost, external, phone } = event.data.participant;
      return { host, coHost, external, phone };
    }
    default: return {};
  }
}
