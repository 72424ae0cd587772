import type { ServerEvent } from '@pufftrack/contract';
import { dayMs, minuteMs } from '../../../domain/durations.ts';
import { DomainError } from '../../../platform/edge/errors.ts';

/** A session expires this long after its last refresh (SES-2). */
export const idleTtlMs = 60 * dayMs;
/** A session expires then even if it is used daily (SES-2). */
export const absoluteTtlMs = 365 * dayMs;
/** How long a predecessor stays valid after the first use of its successor, for requests in flight (SES-4). */
export const usedSuccessorGraceMs = minuteMs;
/** Deletion and export require a sign-in this recent (SES-9). */
export const freshSignInMs = 5 * minuteMs;
/** Sessions of one account; a new one evicts the oldest (SES-5). */
export const maxLiveSessions = 10;
/** An ended or expired session is kept this long, so that its tokens get a precise error. */
export const keepEndedMs = 30 * dayMs;

export type EndReason = ServerEvent<'sessionEnded'>['reason'];

export interface Device {
  readonly id: string | null;
  readonly name: string | null;
  readonly model: string | null;
}

/** One sign-in on one device. Instants in ms. */
export interface StoredSession {
  readonly id: string;
  readonly userId: string;
  /** Numbers the account's sessions in the order of their sign-ins. */
  readonly number: number;
  readonly device: Device;
  readonly createdAt: number;
  /** The last sign-in; a refresh does not change it. */
  readonly authenticatedAt: number;
  /** UTC day; no finer resolution is stored. */
  readonly lastUsedOn: string;
  /** The counter of the current refresh token, from 1. */
  readonly refreshCounter: number;
  readonly rotatedAt: number;
  /** The first use of the tokens of `refreshCounter`, which proves that the client has received them. */
  readonly successorUsedAt: number | null;
  readonly sealedKey: string;
  readonly idleExpiresAt: number;
  readonly expiresAt: number;
  readonly endedAt: number | null;
  readonly endedReason: EndReason | null;
}

/** A session as a sign-in at `now` (ms) creates it. */
export const newSession = (
  of: Pick<StoredSession, 'id' | 'userId' | 'number' | 'device' | 'sealedKey'>,
  now: number,
): StoredSession => ({
  ...of,
  createdAt: now,
  authenticatedAt: now,
  lastUsedOn: utcDayOf(now),
  refreshCounter: 1,
  rotatedAt: now,
  successorUsedAt: null,
  idleExpiresAt: now + idleTtlMs,
  expiresAt: now + absoluteTtlMs,
  endedAt: null,
  endedReason: null,
});

export type RefreshDecision =
  /** The current token: replace it by the next one. */
  | 'rotate'
  /** The predecessor, whose response may have been lost: send the current token again. */
  | 'repeat'
  /** A token that should be gone: end the session. */
  | 'reused'
  | 'expired'
  | 'ended'
  /** Not issued yet. */
  | 'unknown';

/**
 * Decides on a refresh token with a valid HMAC (SES-3, SES-4, docs/adr/0023). Only the immediate predecessor has a grace
 * period: it stays valid until the first use of its successor, because the app may be opened days after a response was
 * lost, and 60 s longer. A token that is two or more rotations old ends the session at once.
 *
 * decideRefresh({refreshCounter: 2, ...}, 1, now) is 'repeat' as long as the access tokens of counter 2 are unused.
 */
export const decideRefresh = (
  session: Pick<
    StoredSession,
    'refreshCounter' | 'successorUsedAt' | 'idleExpiresAt' | 'expiresAt' | 'endedAt'
  >,
  counter: number,
  now: number,
): RefreshDecision => {
  if (session.endedAt !== null) return 'ended';
  if (now >= Math.min(session.idleExpiresAt, session.expiresAt)) return 'expired';
  if (counter > session.refreshCounter) return 'unknown';
  if (counter === session.refreshCounter) return 'rotate';
  if (counter < session.refreshCounter - 1) return 'reused';
  return now < (session.successorUsedAt ?? Infinity) + usedSuccessorGraceMs ? 'repeat' : 'reused';
};

/**
 * The live sessions (oldest first) that a sign-in ends: `replaced`, those of the same device, because a device has one
 * session (SES-5), and `evicted`, the oldest of the others if there would be more than ten.
 */
export const sessionsToEnd = <S extends Pick<StoredSession, 'device'>>(
  live: readonly S[],
  deviceId: string | null,
): { replaced: S[]; evicted: S[] } => {
  const isSameDevice = ({ device }: S) => deviceId !== null && device.id === deviceId;
  const others = live.filter((one) => !isSameDevice(one));
  return {
    replaced: live.filter(isSameDevice),
    evicted: others.slice(0, Math.max(0, others.length - maxLiveSessions + 1)),
  };
};

/**
 * Whether the sign-in is at most 5 minutes old (SES-9). A refresh does not count. A sign-in in the future does not count
 * either: the clock was set back since.
 */
export const isFreshSignIn = ({ authenticatedAt }: Pick<StoredSession, 'authenticatedAt'>, now: number) =>
  now >= authenticatedAt && now - authenticatedAt < freshSignInMs;

/** ms until the session expires without another refresh. */
export const remainingMs = (
  session: Pick<StoredSession, 'idleExpiresAt' | 'expiresAt'>,
  now: number,
): number => Math.max(0, Math.min(session.idleExpiresAt, session.expiresAt) - now);

/** `YYYY-MM-DD`, UTC. */
export const utcDayOf = (ms: number): string => new Date(ms).toISOString().slice(0, 10);

/** The problem that the tokens of an ended session get. */
export const endedProblem = (reason: EndReason) =>
  reason === 'account-gone'
    ? new DomainError('account-gone', { detail: 'This account does not exist any more.' })
    : new DomainError('session-ended', { detail: 'This session has ended. Sign in again.' });
