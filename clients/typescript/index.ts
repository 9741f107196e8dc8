export { Meetings, type Known, type Update } from './meetings.ts';
export { asFound, GapError, isGone, isOver, nameOf, NewerError, Roster, type Change } from './roster.ts';
export { watch, type Options } from './watch.ts';
export type * from './types.ts';
