import type { Consent, Ghost, User } from '@pufftrack/contract';
import type { ConsentState } from '../consents/consent.ts';
import { isGhostInForce, type UserRecord } from './user.ts';

/** The account owner's view at `now` (ms). */
export const viewUser = (user: UserRecord, now: number): User => ({
  id: user.userId,
  name: user.name,
  email: user.email,
  createdAt: new Date(user.createdAt).toISOString(),
  lastLoginAt: new Date(user.lastLoginAt).toISOString(),
  timeZone: user.timeZone,
  locale: user.locale,
  dayStartHour: user.dayStartHour,
  weekStart: user.weekStart,
  product: user.product,
  friendCode: user.friendCode,
  defaultShareLevel: user.defaultShareLevel,
  ageBand: user.ageBand,
  ...(user.ghost && isGhostInForce(user.ghost, now) && { ghost: viewGhost(user.ghost) }),
});

export const viewGhost = ({ since, until }: { since: number; until: number | null }): Ghost => ({
  since: new Date(since).toISOString(),
  until: until === null ? null : new Date(until).toISOString(),
});

export const viewConsent = ({ purpose, version, granted, at }: ConsentState): Consent => ({
  purpose,
  version,
  granted,
  at: new Date(at).toISOString(),
});
