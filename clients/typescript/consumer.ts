// Answers rollcall verify-consumer:
//
//	rollcall verify-consumer -- node clients/typescript/dist/consumer.js
import { asFound, GapError, nameOf, NewerError, Roster } from './roster.ts';
import type { Event, StoredRecord } from './types.ts';

type Line = Event | { record: StoredRecord } | { ask: 'rosters' };

const rosters = new Map<string, Roster>();
const gaps = new Set<string>();
const joined = new Map<string, number>();

function fold(event: Event): void {
  if (!event.data.conferenceId) return; // it is of a whole tenant, as rollcall.watch.lost
  const name = nameOf(event.data);
  const roster = rosters.get(name) ?? new Roster();
  rosters.set(name, roster);
  try {
    const change = roster.apply(event);
    if (change === 'anew') gaps.delete(name);
    if (change !== 'repeated' && event.type === 'rollcall.participant.joined' && !asFound(event)) joined.set(name, (joined.get(name) ?? 0) + 1);
  } catch (error) {
    if (error instanceof GapError) gaps.add(name);
    throw error;
  }
}

function read(record: StoredRecord): void {
  if (record.partial) return; // more of the same poll is on the way
  rosters.set(nameOf(record), Roster.of(record));
  gaps.delete(nameOf(record));
}

const answer = () => ({
  rosters: Object.fromEntries([...rosters].map(([name, roster]) => [name, roster.people])),
  gaps: [...gaps],
  joined: Object.fromEntries(joined),
});

// readline would also break lines at U+2028, which may stand in a name.
async function* lines(input: AsyncIterable<string>): AsyncGenerator<string> {
  let rest = '';
  for await (const chunk of input) {
    const whole = (rest + chunk).split('\n');
    rest = whole.pop()!;
    yield* whole;
  }
}

for await (const text of lines(process.stdin.setEncoding('utf8'))) {
  const line = JSON.parse(text) as Line;
  try {
    if ('ask' in line) console.log(JSON.stringify(answer()));
    else if ('record' in line) read(line.record);
    else fold(line);
  } catch (error) {
    if (!(error instanceof GapError || error instanceof NewerError)) throw error;
    console.error(error.message);
  }
}
