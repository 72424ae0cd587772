import type { Consent, User } from '@pufftrack/contract';
import type { ConsentState, UserRecord } from './user.ts';

/** A person, as they see themselves. */
export const viewUser = (user: UserRecord): User => ({
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
});

export const viewConsent = ({ purpose, version, granted, at }: ConsentState): Consent => ({
  purpose,
  version,
  granted,
  at: new Date(at).toISOString(),
});
