import type { ServerEvent } from '@pufftrack/contract';
import { DomainError } from '../../platform/errors.ts';

const minute = 60_000;
const day = 24 * 60 * minute;

export const accessTtlMs = 15 * minute;
/** A session that nobody refreshes ends; each refresh starts this anew (SES-2). */
export const idleTtlMs = 60 * day;
/** It ends then even if it is used daily (SES-2). */
export const absoluteTtlMs = 365 * day;
/** How long a refresh token may be sent again while nothing shows that its successor has arrived (SES-4). */
export const unusedSuccessorGraceMs = day;
/** How long after the successor was first used: requests that were under way at that moment. */
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
 * What to do with a refresh token whose HMAC is right (SES-3, SES-4). Of the tokens gone by only the last has grace:
 * until its successor is used, at most 24 h, then 60 s more. Two or more rotations old ends the session at once.
 *
 * decideRefresh({refreshCounter: 2, ...}, 1, now) is 'repeat' as long as token 2 and its access token are unused.
 */
export const decideRefresh = (
  session: Pick<
    StoredSession,
    'refreshCounter' | 'rotatedAt' | 'successorUsedAt' | 'idleExpiresAt' | 'expiresAt' | 'endedAt'
  >,
  counter: number,
  now: number,
): RefreshDecision => {
  if (session.endedAt !== null) return 'ended';
  if (now >= Math.min(session.idleExpiresAt, session.expiresAt)) return 'expired';
  if (counter > session.refreshCounter) return 'unknown';
  if (counter === session.refreshCounter) return 'rotate';
  if (counter < session.refreshCounter - 1) return 'reused';
  const graceEndsAt =
    Math.min(session.successorUsedAt ?? Infinity, session.rotatedAt + unusedSuccessorGraceMs) +
    usedSuccessorGraceMs;
  return now < graceEndsAt ? 'repeat' : 'reused';
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
