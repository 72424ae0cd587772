import { dayMs } from '../../domain/durations.ts';

/**
 * When a job is due: every `everyMs`, `offsetMs` after the multiples of it since the epoch (UTC). An hour, a quarter of
 * it and a day of UTC have no clock changes, so a run is never left out and never comes twice.
 * Every day at 02:30 is `{ everyMs: dayMs, offsetMs: 2.5 * hourMs }`.
 */
export interface Schedule {
  readonly everyMs: number;
  readonly offsetMs: number;
}

/** The newest due instant (ms) at or before `now`. */
export const lastDue = ({ everyMs, offsetMs }: Schedule, now: number): number =>
  Math.floor((now - offsetMs) / everyMs) * everyMs + offsetMs;

/** The span of time (ms) that a run answers for: after `from`, up to and with `to`. */
export interface Window {
  readonly from: number;
  readonly to: number;
}

/**
 * The window that is due: from the end of the last one to the newest due instant, so that a stop of any length leaves
 * nothing out. A job that never ran begins with one period. Undefined: nothing is due.
 */
export const dueWindow = (
  schedule: Schedule,
  doneUntil: number | undefined,
  now: number,
): Window | undefined => {
  const to = lastDue(schedule, now);
  const from = doneUntil ?? to - schedule.everyMs;
  return from < to ? { from, to } : undefined;
};

/** The window of a UTC date (`YYYY-MM-DD`), up to now where the date is not over. Throws RangeError for no or a future date. */
export const windowOfDate = (date: string, now: number): Window => {
  const from = Date.parse(`${date}T00:00:00Z`);
  if (Number.isNaN(from) || new Date(from).toISOString().slice(0, 10) !== date)
    throw new RangeError(`${date} is not a date (YYYY-MM-DD)`);
  if (from > now) throw new RangeError(`${date} has not begun (UTC)`);
  return { from, to: Math.min(from + dayMs, now) };
};
