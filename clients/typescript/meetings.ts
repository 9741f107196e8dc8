import { isOver, nameOf, Roster } from './roster.ts';
import type { Event, Meeting, Person, Status, StoredRecord } from './types.ts';

/** What is known of one meeting. It never changes. */
export interface Known {
  readonly tenant: string;
  readonly conferenceId: string;
  readonly epoch: number;
  readonly sequence: number;
  /** undefined while only an event of a type has come that this program does not know. */
  readonly meeting: Meeting | undefined;
  readonly labels: StoredRecord['labels'];
  /** Those who are invited, joining or present, sorted by key. */
  readonly people: readonly Person[];
  /** False while more events of the same poll are on the way. */
  readonly whole: boolean;
}

/** One change: an event was folded, the record was read, or nothing is stored any more. */
export type Update =
  | { kind: 'changed'; event: Event; meeting: Known }
  | { kind: 'found'; meeting: Known }
  | { kind: 'dropped'; meeting: Known };

/** A record with its stream sequence. */
export interface Stored { record: StoredRecord; revision: number }

interface Entry {
  tenant: string;
  conferenceId: string;
  roster: Roster;
  revision: number; // stream sequence of the record last read
  observed: number; // Unix ms, of that record
  over: boolean; // it ended or was untracked: its record ages out
  lost: boolean; // events are missing; the next record says how it stands
  whole: boolean;
}

/** What watch knows. */
export class Meetings {
  /** Resolves when all that is stored was read for the first time. */
  readonly synced: Promise<void>;
  /** How often a record had to say how a meeting stands, since events were missing or did not lead to it. */
  repairs = 0;
  #entries = new Map<string, Entry>();
  #statuses = new Map<string, Status>();
  #tell: (update: Update) => void;
  #markSynced!: () => void;

  constructor(tell: (update: Update) => void = () => {}) {
    this.#tell = tell;
    this.synced = new Promise((resolve) => { this.#markSynced = resolve; });
  }

  /** What is known of a meeting. */
  get(tenant: string, conferenceId: string): Known | undefined {
    const entry = this.#entries.get(nameOf({ tenant, conferenceId }));
    return entry && known(entry);
  }

  /** All meetings, also those that ended within the retention. */
  list(): Known[] {
    return [...this.#entries.values()].map(known);
  }

  /** The meetings in which the user with this id is present now. */
  present(userId: string): Known[] {
    const is = (person: Person) => userId !== '' && person.userId === userId && person.attendance === 'present';
    return this.list().filter((meeting) => meeting.people.some(is));
  }

  /** Whether a tenant is being looked at, as it last said. What is known is as old as its lastGoodPoll. */
  status(tenant: string): Status | undefined {
    return this.#statuses.get(tenant);
  }

  /** Folds an event. GapError is thrown once; then the meeting awaits its record. */
  apply(event: Event): void {
    if (!event.data.conferenceId) return; // it is of a whole tenant, as rollcall.watch.lost
    const entry = this.#entry(event.data);
    if (entry.lost) return;
    try {
      if (entry.roster.apply(event) === 'repeated') return;
    } catch (error) {
      entry.lost = true;
      throw error;
    }
    entry.whole = event.data.poll?.index === event.data.poll?.count; // an unknown type need not have one
    this.#tell({ kind: 'changed', event, meeting: known(entry) });
  }

  /** Holds a meeting against its record, which is right where they differ. The error says that they did. */
  prove({ record, revision }: Stored): void {
    if (record.partial) return; // more of the same poll is on the way
    const right = Roster.of(record);
    const had = this.#entries.has(nameOf(record));
    const entry = this.#entry(record);
    if (revision <= entry.revision) return;
    const lost = entry.lost || !had;
    const differs = !lost && !entry.roster.equals(right);
    Object.assign(entry, read({ record, revision }, right));
    if (!lost && !differs) return;
    this.repairs++;
    this.#tell({ kind: 'found', meeting: known(entry) });
    if (differs) throw new Error(`the events of ${JSON.stringify(nameOf(record))} do not lead to its record at ${record.sequence}; it was read anew`);
  }

  /** Puts what was listed in the place of everything known. */
  replace(all: Stored[], statuses: Status[]): void {
    const before = this.#entries;
    this.#entries = new Map(all.map((stored) => [nameOf(stored.record), read(stored, Roster.of(stored.record))]));
    this.#statuses = new Map(statuses.map((status) => [status.tenant, status]));
    for (const entry of this.#entries.values()) this.#tell({ kind: 'found', meeting: known(entry) });
    for (const [name, entry] of before) if (!this.#entries.has(name)) this.#tell({ kind: 'dropped', meeting: known(entry) });
    this.#markSynced();
  }

  /** Takes what a tenant says of itself. */
  say(status: Status): void {
    this.#statuses.set(status.tenant, status);
  }

  /** Forgets meetings that are over and were last seen before an instant in Unix ms: their records have aged out. */
  dropBefore(instant: number): void {
    for (const [name, entry] of this.#entries) {
      if (!entry.over || entry.observed >= instant) continue;
      this.#entries.delete(name);
      this.#tell({ kind: 'dropped', meeting: known(entry) });
    }
  }

  #entry({ tenant, conferenceId }: { tenant: string; conferenceId: string }): Entry {
    const name = nameOf({ tenant, conferenceId });
    let entry = this.#entries.get(name);
    if (!entry) {
      entry = { tenant, conferenceId, roster: new Roster(), revision: 0, observed: 0, over: false, lost: false, whole: false };
      this.#entries.set(name, entry);
    }
    return entry;
  }
}

const read = ({ record, revision }: Stored, roster: Roster): Entry => ({
  tenant: record.tenant, conferenceId: record.conferenceId, roster, revision, observed: Date.parse(record.observedAt ?? '') || 0,
  over: isOver(record), lost: record.partial !== null, whole: record.partial === null,
});

const known = ({ tenant, conferenceId, roster, whole }: Entry): Known => ({
  tenant, conferenceId, epoch: roster.epoch, sequence: roster.sequence, meeting: roster.meeting, labels: roster.labels, people: roster.people, whole,
});
