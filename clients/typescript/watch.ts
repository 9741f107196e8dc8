import { AckPolicy, DeliverPolicy, jetstream, jetstreamManager } from '@nats-io/jetstream';
import type { Consumer, ConsumerConfig, ConsumerMessages, JetStreamClient, JetStreamManager, JsMsg, StreamInfo } from '@nats-io/jetstream';
import { nuid, nanos, type NatsConnection } from '@nats-io/transport-node';
import { setTimeout as pause } from 'node:timers/promises';
import { Meetings, type Stored, type Update } from './meetings.ts';
import { NewerError } from './roster.ts';
import type { Event, Status, StoredRecord } from './types.ts';

/** What to watch, and whom to tell. The default is every meeting of a default installation. */
export interface Options {
  stream?: string; // MEETINGS
  prefix?: string; // meetings
  /** That of the imports of another account; $JS.API where there is none. */
  apiPrefix?: string;
  tenant?: string; // every tenant
  conferenceId?: string; // every meeting
  /** Ends the watch, as closing the connection does. */
  signal?: AbortSignal;
  /** Is told, in order, what has changed in each meeting. */
  onChange?: (update: Update) => void;
  /** Is told what went wrong and is being tried again. */
  onTrouble?: (error: Error) => void;
}

/**
 * Keeps what is known of meetings equal to what Rollcall has stored. It returns at
 * once; what fails later is told to onTrouble and tried again. The least rights
 * that it needs are ROLLCALL_READER of Rollcall's permissions.conf.
 */
export function watch(nc: NatsConnection, options: Options = {}): Meetings {
  const meetings = new Meetings(options.onChange);
  void new Watcher(nc, options, meetings).run();
  return meetings;
}

// A consumer ends when nobody has pulled from it for so long.
const inactive = 60_000;
// How often a reader checks that the stream is still the one that it reads.
const checkEvery = 10_000;
// For how long nothing may come of what is listed: behind a record that was
// written anew meanwhile NATS waits until something is stored.
const listSilence = 1_000;
// For how long an answer of JetStream is awaited.
const timeout = 10_000;
const longestPause = 10_000;

/** A subject's token: every byte outside A-Z a-z 0-9 _ - is %XX. */
const token = (value: string): string =>
  Array.from(new TextEncoder().encode(value), (byte) => {
    const char = String.fromCharCode(byte);
    return /[A-Za-z0-9_-]/.test(char) ? char : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }).join('');

class Watcher {
  readonly #nc: NatsConnection;
  readonly #options: Options;
  readonly #meetings: Meetings;
  readonly #stream: string;
  readonly #api: string;
  readonly #subjects: { event: string; state: string; status: string };
  #js!: JetStreamClient;
  #jsm!: JetStreamManager;
  #created = ''; // of the stream that is read
  #next = 0; // the first stream sequence that was not read; 0: nothing is listed
  #reading: ConsumerMessages | undefined;

  constructor(nc: NatsConnection, options: Options, meetings: Meetings) {
    this.#nc = nc;
    this.#options = options;
    this.#meetings = meetings;
    this.#stream = options.stream ?? 'MEETINGS';
    this.#api = options.apiPrefix ?? '$JS.API';
    const prefix = options.prefix ?? 'meetings';
    const tenant = options.tenant ?? '*';
    const meeting = options.conferenceId === undefined ? '*' : token(options.conferenceId);
    this.#subjects = {
      event: `${prefix}.event.${tenant}.${meeting}.*.*`, state: `${prefix}.state.${tenant}.${meeting}`, status: `${prefix}.status.${tenant}`,
    };
  }

  get #ended(): boolean {
    return this.#nc.isClosed() || this.#options.signal?.aborted === true;
  }

  async run(): Promise<void> {
    const interrupt = () => this.#reading?.stop();
    this.#options.signal?.addEventListener('abort', interrupt);
    void this.#onReconnect(interrupt);
    for (let wait = 100; !this.#ended; wait = Math.min(2 * wait, longestPause)) {
      const before = this.#next;
      try {
        await this.#session();
      } catch (error) {
        if (this.#ended) break;
        this.#options.onTrouble?.(error as Error);
      }
      if (this.#next !== before) wait = 100;
      await pause(wait, undefined, { ref: false });
    }
    this.#options.signal?.removeEventListener('abort', interrupt);
  }

  // A pull that was lost with its connection would only be missed by its heartbeat.
  async #onReconnect(interrupt: () => void): Promise<void> {
    for await (const status of this.#nc.status()) if (status.type === 'reconnect') interrupt();
  }

  // Reads until something fails.
  async #session(): Promise<void> {
    this.#js ??= jetstream(this.#nc, { apiPrefix: this.#api, timeout });
    this.#jsm ??= await jetstreamManager(this.#nc, { apiPrefix: this.#api, timeout, checkAPI: false }); // which a reader may not ask
    const info = await this.#identify();
    if (this.#next === 0) await this.#list(info);
    const { event, state, status } = this.#subjects;
    const consumer = await this.#consumer([event, state, status], { deliver_policy: DeliverPolicy.StartSequence, opt_start_seq: this.#next });
    for (let read = 0; !this.#ended;) {
      read = await this.#take(consumer, read);
      await this.#identify();
      // What was sent into a connection that was cut comes to nobody.
      const { delivered } = await consumer.info();
      if (delivered.consumer_seq !== read) throw new Error(`${delivered.consumer_seq - read} messages were lost; they are read again`);
    }
  }

  // Takes what comes until it is time for a check, and returns how many there were in all.
  async #take(consumer: Consumer, read: number): Promise<number> {
    this.#reading = await consumer.fetch({ max_messages: 500, expires: checkEvery });
    for await (const message of this.#reading) {
      if (message.info.deliverySequence !== ++read) throw new Error('messages were lost; they are read again');
      this.#hear(message);
      this.#next = message.seq + 1;
    }
    return read;
  }

  // Where the stream is another one than before, everything is to be listed anew.
  async #identify(): Promise<StreamInfo> {
    const info = await this.#jsm.streams.info(this.#stream);
    if (this.#created !== '' && (info.created !== this.#created || info.state.last_seq + 1 < this.#next)) {
      this.#created = '';
      this.#next = 0;
      throw new Error(`stream ${this.#stream} was made anew; everything is read again`);
    }
    this.#created = info.created;
    if (info.config.max_age > 0) this.#meetings.dropBefore(Date.now() - info.config.max_age / 1e6);
    return info;
  }

  // nats.js would ask for a consumer with several filters on a subject that a reader has no right to.
  async #consumer(filters: string[], config: Partial<ConsumerConfig>): Promise<Consumer> {
    const name = nuid.next();
    const request = {
      stream_name: this.#stream, action: 'create',
      config: { name, filter_subjects: filters, ack_policy: AckPolicy.None, mem_storage: true, num_replicas: 1, inactive_threshold: nanos(inactive), ...config },
    };
    const answer = await this.#nc.request(`${this.#api}.CONSUMER.CREATE.${this.#stream}.${name}`, JSON.stringify(request), { timeout });
    const { error } = answer.json<{ error?: { description: string } }>();
    if (error) throw new Error(`read stream ${this.#stream}: ${error.description}`);
    return this.#js.consumers.get(this.#stream, name);
  }

  // Reads the records and statuses as they stand. What is followed then begins
  // behind the newest of those that were there before, and not behind the
  // stream's end, which a replica that lags has not seen.
  async #list(info: StreamInfo): Promise<void> {
    const found = new Listing(info.state.last_seq);
    const consumer = await this.#consumer([this.#subjects.state, this.#subjects.status], { deliver_policy: DeliverPolicy.LastPerSubject });
    const { num_pending: announced } = await consumer.info(true);
    let read = 0;
    while (read < announced) {
      const before = read;
      this.#reading = await consumer.fetch({ max_messages: Math.min(1000, announced - read), expires: listSilence });
      for await (const message of this.#reading) {
        if (message.info.deliverySequence !== ++read) throw new Error('list the meetings: messages were lost');
        this.#try(() => found.take(this.#word(message.subject), message.subject, message.data, message.seq));
      }
      if (read === before) break;
    }
    await this.#complete(found);
    this.#meetings.replace(found.records, found.statuses);
    this.#next = found.last + 1;
  }

  // NATS leaves out what is written anew while it lists.
  async #complete(found: Listing): Promise<void> {
    const { state } = await this.#jsm.streams.info(this.#stream, { subjects_filter: this.#subjects.state });
    for (const subject of Object.keys(state.subjects ?? {})) {
      if (found.subjects.has(subject)) continue;
      const message = await this.#jsm.direct.getMessage(this.#stream, { last_by_subj: subject });
      if (message) this.#try(() => found.take('state', subject, message.data, message.seq));
    }
  }

  #hear(message: JsMsg): void {
    this.#try(() => {
      if (message.data.length === 0) return;
      switch (this.#word(message.subject)) {
        case 'event': return this.#meetings.apply(message.json<Event>());
        case 'state': return this.#meetings.prove({ record: message.json<StoredRecord>(), revision: message.seq });
        case 'status': return this.#meetings.say(current(message.json<Status>()));
      }
    });
  }

  #word(subject: string): string {
    return subject.slice((this.#options.prefix ?? 'meetings').length + 1).split('.', 1)[0]!;
  }

  // What cannot be read is told, and does not hide the rest.
  #try(act: () => void): void {
    try {
      act();
    } catch (error) {
      this.#options.onTrouble?.(error as Error);
    }
  }
}

/** What is listed: the records and statuses as they stand. */
class Listing {
  readonly records: Stored[] = [];
  readonly statuses: Status[] = [];
  readonly subjects = new Set<string>();
  last = 0; // the highest stream sequence among those that were there before
  readonly #end: number;

  constructor(end: number) {
    this.#end = end;
  }

  take(word: string, subject: string, data: Uint8Array, revision: number): void {
    this.subjects.add(subject);
    if (revision <= this.#end) this.last = Math.max(this.last, revision);
    if (data.length === 0) return;
    const value = JSON.parse(new TextDecoder().decode(data));
    if (word === 'state') this.records.push({ record: current<StoredRecord>(value), revision });
    if (word === 'status') this.statuses.push(current<Status>(value));
  }
}

/** Refuses what has a schema that this program is too old for. */
function current<T extends { schema: number }>(value: T): T {
  if (value.schema > 1) throw new NewerError(`stored data of schema ${value.schema}`);
  return value;
}
