import type { ServerEvent } from '@pufftrack/contract';
import { DomainError } from '../../../platform/edge/errors.ts';

const minute = 60_000;
const day = 24 * 60 * minute;

export const accessTtlMs = 15 * minute;
/** A session that nobody refreshes ends; each refresh starts this anew (SES-2). */
export const idleTtlMs = 60 * day;
/** It ends then even if it is used daily (SES-2). */
export const absoluteTtlMs = 365 * day;
/** How long the predecessor stays good after its successor was first used: requests in flight at that moment (SES-4). */
export const usedSuccessorGraceMs = minute;
/** A sign-in this recent is what deletion and export ask for (SES-9). */
export const freshSignInMs = 5 * minute;
/** Sessions of one person; the oldest makes room (SES-5). */
export const maxLiveSessions = 10;
/** An ended or expired session is kept so long, so that its tokens get a true answer. */
export const keepEndedMs = 30 * day;

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
  /** The person's sessions in the order of their sign-ins, also where two fall into one millisecond. */
  readonly number: number;
  readonly device: Device;
  readonly createdAt: number;
  /** When the person last proved to be there, by a sign-in. */
  readonly authenticatedAt: number;
  /** UTC day; nothing finer is kept. */
  readonly lastUsedOn: string;
  /** The counter of the refresh token that is good now; the first one has 1. */
  readonly refreshCounter: number;
  readonly rotatedAt: number;
  /** When the tokens of `refreshCounter` were first used, so that the client must have got them. */
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
  /** The current token: the next one takes its place. */
  | 'rotate'
  /** The one before it, and the answer may have been lost: the current token again, nothing moves. */
  | 'repeat'
  /** A token that nobody should have any more: the whole session ends. */
  | 'reused'
  | 'expired'
  | 'ended'
  /** Not issued yet. */
  | 'unknown';

/**
 * What to do with a refresh token whose HMAC is right (SES-3, SES-4, docs/adr/0023). Only the immediate predecessor has
 * grace: while nothing shows that the client has received its successor it stays good as long as the session itself,
 * because the app may be opened days after a response was lost; then 60 s more. A token that is two or more rotations
 * old ends the session at once.
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
 * session (SES-5), and `evicted`, the oldest of the others where there would be more than ten.
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
 * Whether the person proved to be there within the last 5 minutes (SES-9). A refresh proves nothing of that kind: only
 * a sign-in moves `authenticatedAt`. A sign-in of the future is none: the clock was set back since.
 */
export const isFreshSignIn = ({ authenticatedAt }: Pick<StoredSession, 'authenticatedAt'>, now: number) =>
  now >= authenticatedAt && now - authenticatedAt < freshSignInMs;

/** ms until the session ends by itself if nobody refreshes it again. */
export const remainingMs = (
  session: Pick<StoredSession, 'idleExpiresAt' | 'expiresAt'>,
  now: number,
): number => Math.max(0, Math.min(session.idleExpiresAt, session.expiresAt) - now);

/** `YYYY-MM-DD`, UTC. */
export const utcDayOf = (ms: number): string => new Date(ms).toISOString().slice(0, 10);

/** What the tokens of an ended session are answered. */
export const endedProblem = (reason: EndReason) =>
  reason === 'account-gone'
    ? new DomainError('account-gone', { detail: 'This account does not exist any more.' })
    : new DomainError('session-ended', { detail: 'This session has ended. Sign in again.' });
