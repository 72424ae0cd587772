import type { PuffEdit, ParsedPuffInput } from '@pufftrack/contract';
import { DomainError } from '../../../platform/edge/errors.ts';
import { newUuid } from '../../../platform/ids.ts';
import { isKnownZone, type WallClock } from '../../../domain/time-zones.ts';
import { localDayOf } from '../../../domain/local-day.ts';
import type { CountedPuff } from './log-record.ts';
import { phoneWallClock } from '../../../domain/phone-clock.ts';

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;

/** A phone's clock may be ahead by this much; such a puff counts as now. */
export const futureToleranceMs = 5 * minuteMs;
export const backdatedAfterMs = 48 * hourMs;
/** Friends see a puff live only while it is one: at most this long before its receipt. */
export const liveWindowMs = 10 * minuteMs;
export const maxQuantityPerDay = 5_000;
const maxAgeYears = 10;
/** How long a puff may be undone, by its receipt. */
export const undoWindowMs = 10 * minuteMs;
/** How long a deleted puff can be restored; then its content is removed (domain.md D2). */
export const restoreWindowMs = 30 * 24 * hourMs;
/** A restore in progress at the end of the window still finds the content. */
export const restorePurgeMs = restoreWindowMs + hourMs;
/** After a deletion of all, the content is removed within a day. */
export const clearPurgeMs = hourMs;
/** Friends who were shown a puff receive its retraction for this long. */
export const retractWindowMs = 24 * hourMs;
/** Taking away something older than this marks its day (domain.md D3). */
const lateRemovalAfterMs = 24 * hourMs;

/** The values of a puff that its owner can edit. */
export interface PuffValues extends CountedPuff {
  readonly timeZone: string;
  readonly timeZoneInferred: boolean;
  readonly product: 'vape' | 'cigarette';
  readonly trigger: string | null;
}

/** A puff on its way into the log: everything but its number. Instants in ms. */
export interface NewPuff extends PuffValues {
  /** The client's UUID, in lower case. */
  readonly id: string;
  readonly deviceId: string | null;
  readonly receivedAt: number;
  readonly sessionId: string;
}

/** A puff of the log, with the person's number of its recording or of its newest change. */
export interface RecordedPuff extends NewPuff {
  readonly rev: number;
}

/** A puff as the log holds it, live or not. */
export interface StoredPuff {
  readonly id: string;
  /** The number of its recording: a deletion of all at a higher number hides it. */
  readonly firstRev: number;
  /** The number of its newest change, or of its recording. */
  readonly latestRev: number;
  /** How often it was edited, deleted and restored; only where the whole record was read, else 0. */
  readonly changes: number;
  /** Undefined where it is gone for good. */
  readonly content:
    | {
        readonly puff: RecordedPuff;
        /** ms; null while it lives. */
        readonly deletedAt: number | null;
        /** Whether it came to the day on which it stands more than 48 h after it happened. */
        readonly cameLate: boolean;
        /** What was counted when it was recorded. */
        readonly original: CountedPuff;
      }
    | undefined;
}

export type TimeRejection = 'timestamp-in-future' | 'too-old';

export interface PuffDefaults {
  timeZone: string;
  product: 'vape' | 'cigarette';
}

/** The time rules of domain.md D2; undefined where the instant (ms) is fine. */
export const timeRejectionOf = (timestamp: number, now: number): TimeRejection | undefined => {
  if (timestamp > now + futureToleranceMs) return 'timestamp-in-future';
  if (timestamp < tenYearsBefore(now)) return 'too-old';
  return undefined;
};

const tenYearsBefore = (now: number): number => {
  const date = new Date(now);
  return date.setUTCFullYear(date.getUTCFullYear() - maxAgeYears);
};

export const timeProblem = (code: TimeRejection, now: number): DomainError =>
  new DomainError(code, {
    detail:
      code === 'too-old'
        ? 'The timestamp is more than ten years ago.'
        : 'The timestamp is more than five minutes ahead of the server; compare with serverTime.',
    errors: [{ path: 'timestamp', message: code === 'too-old' ? 'too long ago' : 'in the future' }],
    serverTime: new Date(now).toISOString(),
  });

/**
 * A puff from what the client sent. A timestamp up to five minutes ahead is clipped to now; a zone that this server
 * does not know keeps the puff, in the person's zone. The wall clock is derived here once and stored: nothing later
 * derives it from the zone again.
 */
export const newPuff = (
  input: ParsedPuffInput,
  defaults: PuffDefaults,
  now: number,
  sessionId: string,
): NewPuff => {
  const sent = input.timestamp === undefined ? now : Date.parse(input.timestamp);
  const timestamp = Math.min(sent, now);
  const zoneIsKnown = input.timeZone === undefined || isKnownZone(input.timeZone);
  const timeZone = zoneIsKnown ? (input.timeZone ?? defaults.timeZone) : defaults.timeZone;
  return {
    id: input.id ?? newUuid(),
    timestamp,
    timeZone,
    timeZoneInferred: !zoneIsKnown,
    wall: phoneWallClock(timeZone, timestamp, input.timestamp).wall,
    quantity: input.quantity ?? 1,
    product: input.product ?? defaults.product,
    trigger: input.trigger ?? null,
    deviceId: input.deviceId ?? null,
    receivedAt: now,
    sessionId,
  };
};

/**
 * A puff with what a person changed of it. Its zone stays the one in which it happened; a new timestamp is read as that
 * of a new puff in that zone, and clipped likewise. The same instant keeps its wall clock unless the timestamp states an
 * offset that decides: a client may send back what it was answered, in UTC. The same object where nothing is different.
 */
export const editedPuff = (puff: PuffValues, edit: PuffEdit, now: number): PuffValues => {
  const timestamp = edit.timestamp === undefined ? puff.timestamp : Math.min(Date.parse(edit.timestamp), now);
  const after: PuffValues = {
    ...valuesOf(puff),
    timestamp,
    wall: editedWall(puff, timestamp, edit.timestamp),
    quantity: edit.quantity ?? puff.quantity,
    product: edit.product ?? puff.product,
    trigger: edit.trigger === undefined ? puff.trigger : edit.trigger,
  };
  const same =
    after.timestamp === puff.timestamp &&
    after.wall.dayNumber === puff.wall.dayNumber &&
    after.wall.hour === puff.wall.hour &&
    after.quantity === puff.quantity &&
    after.product === puff.product &&
    after.trigger === puff.trigger;
  return same ? puff : after;
};

const editedWall = (puff: PuffValues, timestamp: number, sent: string | undefined): WallClock => {
  if (sent === undefined) return puff.wall;
  const { wall, isStated } = phoneWallClock(puff.timeZone, timestamp, sent);
  return timestamp === puff.timestamp && !isStated ? puff.wall : wall;
};

export const valuesOf = (puff: PuffValues): PuffValues => ({
  timestamp: puff.timestamp,
  timeZone: puff.timeZone,
  timeZoneInferred: puff.timeZoneInferred,
  wall: puff.wall,
  quantity: puff.quantity,
  product: puff.product,
  trigger: puff.trigger,
});

/** Whether a puff was received too late to count as current: more than 48 h after it happened (domain.md D2). Instants in ms. */
export const isBackdated = (timestamp: number, receivedAt: number): boolean =>
  receivedAt - timestamp > backdatedAfterMs;

/** Whether what is taken away happened more than 24 h before (domain.md D11, void days). Instants in ms. */
export const isRemovedLate = (timestamp: number, takenAt: number): boolean =>
  takenAt - timestamp > lateRemovalAfterMs;

/**
 * Whether a puff has come late to the day on which a change (at `at`, ms) leaves it. To another date or local day it comes
 * with the change, whenever it was received, so that no day is confirmed late by a puff of another one (domain.md D11); on
 * its own it stays what it was, whatever time of day it says now. A deletion within 24 h takes it from its day and leaves
 * no mark there, so a restore adds it again.
 */
export const comesLate = (
  before: { readonly puff: CountedPuff; readonly deletedAt: number | null; readonly cameLate: boolean },
  after: CountedPuff,
  edit: { readonly at: number; readonly dayStartHour: number },
): boolean => {
  const { wall, timestamp } = before.puff;
  const hadLeft = before.deletedAt !== null && !isRemovedLate(timestamp, before.deletedAt);
  const isThere =
    !hadLeft &&
    after.wall.dayNumber === wall.dayNumber &&
    localDayOf(after.wall, edit.dayStartHour) === localDayOf(wall, edit.dayStartHour);
  return isThere ? before.cameLate : isBackdated(after.timestamp, edit.at);
};

/** Whether friends who share live were shown it when it arrived. */
export const wasShownLive = (original: CountedPuff, receivedAt: number): boolean =>
  receivedAt - original.timestamp <= liveWindowMs;
