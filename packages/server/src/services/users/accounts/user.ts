import type { FriendSummary, Purpose, ShareLevel, UserPatch } from '@pufftrack/contract';
import { DomainError } from '../../../platform/edge/errors.ts';
import { legalVersions } from '../privacy/legal-versions.ts';

/** The newest word of a person on one purpose. */
export interface ConsentState {
  readonly purpose: Purpose;
  readonly version: string;
  readonly granted: boolean;
  /** ms */
  readonly at: number;
}

/** What a person may change of themselves. */
export interface Profile {
  readonly name: string | null;
  readonly timeZone: string;
  readonly locale: string;
  readonly dayStartHour: number;
  readonly weekStart: 'monday' | 'sunday';
  readonly product: 'vape' | 'cigarette';
  readonly defaultShareLevel: ShareLevel;
}

/** A zone that a person lived in from an instant (ms) on. */
export interface ZonePeriod {
  readonly timeZone: string;
  readonly from: number;
}

/** A rest from sharing. Instants in ms; `until` null: until it is ended. It may have run out. */
export interface Ghost {
  readonly since: number;
  readonly until: number | null;
  /** What friends saw last, for those whose level shows one. */
  readonly summary: FriendSummary | null;
}

/** A person. Instants in ms. */
export interface UserRecord extends Profile {
  readonly userId: string;
  readonly email: string | null;
  readonly createdAt: number;
  readonly lastLoginAt: number;
  readonly friendCode: string;
  readonly ageBand: '18+' | 'under-18';
  /** Every zone that was set, oldest first; the last one is `timeZone`. */
  readonly timeZones: readonly ZonePeriod[];
  /** Moves with every change of what other services keep of a person. */
  readonly settingsVersion: number;
  readonly consents: readonly ConsentState[];
  readonly ghost: Ghost | null;
  /** Since when consents and rests, which decide what flows out, are what they are. */
  readonly sharesSince: number;
  /** Reported by several people and not reviewed yet: nobody else sees the name. */
  readonly nameHidden: boolean;
}

/** A person as the other services know them. */
export interface PersonSettings extends Omit<Profile, 'locale'> {
  readonly userId: string;
  /** As others may see it: null also while it is hidden. */
  readonly name: string | null;
  /** ms */
  readonly createdAt: number;
  /** The zones of their life, oldest first; no two neighbours are the same. */
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

/** Absent keeps, null goes back to the default. Throws `invalid` for a zone that this server does not know. */
export const profileChanges = (
  patch: UserPatch,
  isKnownZone: (name: string) => boolean,
): Partial<Profile> => {
  if (typeof patch.timeZone === 'string' && !isKnownZone(patch.timeZone))
    throw new DomainError('invalid', {
      detail: 'The time zone is not known here.',
      errors: [{ path: 'timeZone', message: 'must be an IANA time zone name, for example Europe/Berlin' }],
    });
  const changes: Record<string, unknown> = {};
  for (const key of Object.keys(defaultProfile) as (keyof Profile)[]) {
    const value = patch[key];
    if (value !== undefined) changes[key] = value ?? defaultProfile[key];
  }
  return changes;
};

export const settingsOf = (user: UserRecord): PersonSettings => ({
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
  consents: new Set(
    user.consents
      .filter(({ purpose, version, granted }) => granted && version === legalVersions[purpose])
      .map(({ purpose }) => purpose),
  ),
  ghost: user.ghost,
  sharesSince: user.sharesSince,
});

/** The consents without which nothing is derived from a person's puffs, goals and days, stored or shown to others. */
export const processingPurposes: readonly Purpose[] = ['terms', 'health-processing'];

/**
 * Whether jobs, boards, friends and live events may use what a person recorded. The person's own view and deletions do
 * not depend on it.
 */
export const isProcessed = ({ consents }: Pick<PersonSettings, 'consents'>): boolean =>
  processingPurposes.every((purpose) => consents.has(purpose));

/** Throws `consent-required` with the purposes that are missing. */
export const requireConsents = (
  person: Pick<PersonSettings, 'consents'>,
  purposes: readonly Purpose[],
): void => {
  const missing = purposes.filter((purpose) => !person.consents.has(purpose));
  if (missing.length > 0)
    throw new DomainError('consent-required', {
      detail: `Ask the person for these consents first: ${missing.join(', ')}.`,
      purposes: missing,
    });
};

/**
 * Throws `consent-version` where a grant names a version that is not in force. A withdrawal names the version that the
 * app knows, which may be an older one: it is never refused.
 */
export const requireVersionsInForce = (
  consents: readonly { purpose: Purpose; version: string; granted?: boolean }[],
): void => {
  const errors = consents.flatMap(({ purpose, version, granted = true }, index) =>
    !granted || version === legalVersions[purpose]
      ? []
      : [{ path: `consents.${index}.version`, message: `the version in force is ${legalVersions[purpose]}` }],
  );
  if (errors.length > 0)
    throw new DomainError('consent-version', {
      detail: 'A consent names a version that is not in force; see /legal/versions.',
      errors,
    });
};

/** A withdrawal is of what is in force: repeated with another version it changes nothing, so it adds no row. */
export const withKnownVersions = <Change extends Omit<ConsentState, 'at'>>(
  before: readonly ConsentState[],
  changes: readonly Change[],
): Change[] =>
  changes.map((change) => {
    if (change.granted) return change;
    const known = before.find(({ purpose }) => purpose === change.purpose);
    return { ...change, version: known?.version ?? legalVersions[change.purpose] };
  });

/** Those that change something: another version, or granted where it was not, or the first of its purpose. */
export const newConsents = <Change extends Omit<ConsentState, 'at'>>(
  before: readonly ConsentState[],
  changes: readonly Change[],
): Change[] =>
  changes.filter(
    ({ purpose, version, granted }) =>
      !before.some((one) => one.purpose === purpose && one.version === version && one.granted === granted),
  );

/** Each purpose once, with what was said last. */
export const withConsents = (
  before: readonly ConsentState[],
  changes: readonly ConsentState[],
): ConsentState[] => {
  const newest = new Map(before.map((consent) => [consent.purpose, consent]));
  for (const change of changes) newest.set(change.purpose, change);
  return [...newest.values()];
};
