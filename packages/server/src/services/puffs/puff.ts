import type { PuffInput } from '@pufftrack/contract';
import { DomainError } from '../../platform/errors.ts';
import { newUuid } from '../../platform/ids.ts';
import { isKnownZone, wallClockAt, type WallClock } from '../../platform/time-zones.ts';

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;

/** A phone's clock may be ahead by this much; such a puff counts as now. */
export const futureToleranceMs = 5 * minuteMs;
export const backdatedAfterMs = 48 * hourMs;
/** Friends see a puff live only while it is one: at most this long before its receipt. */
export const liveWindowMs = 10 * minuteMs;
export const maxQuantityPerDay = 5_000;
const maxAgeYears = 10;

/** A puff on its way into the log: everything but its number. Instants in ms. */
export interface NewPuff {
  /** The client's UUID, in lower case. */
  readonly id: string;
  readonly timestamp: number;
  readonly timeZone: string;
  readonly timeZoneInferred: boolean;
  /** What the wall showed in the puff's own zone; taken once, never computed again. */
  readonly wall: WallClock;
  readonly quantity: number;
  readonly product: 'vape' | 'cigarette';
  readonly trigger: string | null;
  readonly deviceId: string | null;
  readonly receivedAt: number;
  readonly sessionId: string;
}

/** A puff of the log, with the person's number. */
export interface RecordedPuff extends NewPuff {
  readonly rev: number;
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
 * does not know keeps the puff, in the person's zone.
 */
export const newPuff = (
  input: PuffInput,
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
    wall: wallClockAt(timeZone, timestamp),
    quantity: input.quantity ?? 1,
    product: input.product ?? defaults.product,
    trigger: input.trigger ?? null,
    deviceId: input.deviceId ?? null,
    receivedAt: now,
    sessionId,
  };
};
