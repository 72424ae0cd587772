import type { FriendSummary, Purpose, ShareLevel, UserPatch } from '@pufftrack/contract';
import { DomainError } from '../../../platform/edge/errors.ts';
import { purposesInForce, type ConsentState } from '../consents/consent.ts';

/** What the account owner may change. */
export interface Profile {
  readonly name: string | null;
  readonly timeZone: string;
  readonly locale: string;
  readonly dayStartHour: number;
  readonly weekStart: 'monday' | 'sunday';
  readonly product: 'vape' | 'cigarette';
  readonly defaultShareLevel: ShareLevel;
}

/** A time zone of a user from an instant (ms) on. */
export interface ZonePeriod {
  readonly timeZone: string;
  readonly from: number;
}

/** Ghost mode. Instants in ms; `until` null: until it is ended. It may have expired. */
export interface Ghost {
  readonly since: number;
  readonly until: number | null;
  /** The last summary before it, for friends whose share level includes one. */
  readonly summary: FriendSummary | null;
}

/** Whether ghost mode is on at `now` (ms). */
export const isGhostInForce = (ghost: Pick<Ghost, 'until'> | null, now: number): boolean =>
  ghost !== null && (ghost.until === null || ghost.until > now);

/** An account. Instants in ms. */
export interface UserRecord extends Profile {
  readonly userId: string;
  readonly email: string | null;
  readonly createdAt: number;
  readonly lastLoginAt: number;
  readonly friendCode: string;
  readonly ageBand: '18+' | 'under-18';
  /** Every zone since the account was created, oldest first; the last one is `timeZone`. */
  readonly timeZones: readonly ZonePeriod[];
  /** Incremented by every change of what other services cache of a user. */
  readonly settingsVersion: number;
  readonly consents: readonly ConsentState[];
  readonly ghost: Ghost | null;
  /** When consents or ghost mode, which decide what friends see, last changed. */
  readonly sharesSince: number;
  /** Reported by several users and not reviewed yet: other users do not see the name. */
  readonly nameHidden: boolean;
}

/** A user, as the other services see one. */
export interface UserSettings extends Omit<Profile, 'locale'> {
  readonly userId: string;
  /** As others may see it: null also while it is hidden. */
  readonly name: string | null;
  /** ms */
  readonly createdAt: number;
  /** The zones since the account was created, oldest first; no two neighbours are equal. */
  readonly timeZones: readonly ZonePeriod[];
  readonly settingsVersion: number;
  /** Granted, at a version in force. */
  readonly consents: ReadonlySet<Purpose>;
  readonly ghost: Ghost | null;
  readonly sharesSince: number;
}

export const defaultProfile: Profile = {
  name: null,
  timeZone: 'UTC',
  locale: 'en',
  dayStartHour: 0,
  weekStart: 'monday',
  product: 'vape',
  defaultShareLevel: 'live',
};

/** Absent: unchanged; null: the default. Throws `invalid` for an unknown time zone. */
export const profileChanges = (
  patch: UserPatch,
  isKnownZone: (name: string) => boolean,
): Partial<Profile> => {
  if (typeof patch.timeZone === 'string' && !isKnownZone(patch.timeZone))
    throw new DomainError('invalid', {
      detail: 'Unknown time zone.',
      errors: [{ path: 'timeZone', message: 'must be an IANA time zone name, for example Europe/Berlin' }],
    });
  const changes: Record<string, unknown> = {};
  for (const key of Object.keys(defaultProfile) as (keyof Profile)[]) {
    const value = patch[key];
    if (value !== undefined) changes[key] = value ?? defaultProfile[key];
  }
  return changes;
};

/** Throws `account-gone`: the account of a valid token has been deleted. */
export const accountGone = (): never => {
  throw new DomainError('account-gone', { detail: 'This account does not exist any more.' });
};

export const settingsOf = (user: UserRecord): UserSettings => ({
  userId: user.userId,
  name: user.nameHidden ? null : user.name,
  timeZone: user.timeZone,
  dayStartHour: user.dayStartHour,
  weekStart: user.weekStart,
  product: user.product,
  defaultShareLevel: user.defaultShareLevel,
  createdAt: user.createdAt,
  timeZones: user.timeZones.filter(({ timeZone }, index, all) => timeZone !== all[index - 1]?.timeZone),
  settingsVersion: user.settingsVersion,
  consents: purposesInForce(user.consents),
  ghost: user.ghost,
  sharesSince: user.sharesSince,
});
