import type { Purpose } from '@pufftrack/contract';
import { isProcessed, type HasConsents } from '../../../domain/consents.ts';
import { DomainError } from '../../../platform/edge/errors.ts';
import { legalVersions } from './legal-versions.ts';

/** The newest consent event of a user for one purpose. */
export interface ConsentState {
  readonly purpose: Purpose;
  readonly version: string;
  readonly granted: boolean;
  /** ms */
  readonly at: number;
}

/** Without these consents friends see nothing of a user, whatever share levels the user chose. */
export const mayShare = (user: HasConsents): boolean =>
  isProcessed(user) && user.consents.has('friends-sharing');

export const purposesInForce = (consents: readonly ConsentState[]): ReadonlySet<Purpose> =>
  new Set(
    consents
      .filter(({ purpose, version, granted }) => granted && version === legalVersions[purpose])
      .map(({ purpose }) => purpose),
  );

/** Throws `consent-required` with the purposes that are missing. */
export const requireConsents = (user: HasConsents, purposes: readonly Purpose[]): void => {
  const missing = purposes.filter((purpose) => !user.consents.has(purpose));
  if (missing.length > 0)
    throw new DomainError('consent-required', {
      detail: `The user has to grant these consents first: ${missing.join(', ')}.`,
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

/** A withdrawal applies to the version in force: repeated with another version it changes nothing and adds no row. */
export const withKnownVersions = <Change extends Omit<ConsentState, 'at'>>(
  before: readonly ConsentState[],
  changes: readonly Change[],
): Change[] =>
  changes.map((change) => {
    if (change.granted) return change;
    const known = before.find(({ purpose }) => purpose === change.purpose);
    return { ...change, version: known?.version ?? legalVersions[change.purpose] };
  });

/** The changes with an effect: another version, another state, or the first event of a purpose. */
export const newConsents = <Change extends Omit<ConsentState, 'at'>>(
  before: readonly ConsentState[],
  changes: readonly Change[],
): Change[] =>
  changes.filter(
    ({ purpose, version, granted }) =>
      !before.some((one) => one.purpose === purpose && one.version === version && one.granted === granted),
  );

/** Each purpose once, with its newest event. */
export const withConsents = (
  before: readonly ConsentState[],
  changes: readonly ConsentState[],
): ConsentState[] => {
  const newest = new Map(before.map((consent) => [consent.purpose, consent]));
  for (const change of changes) newest.set(change.purpose, change);
  return [...newest.values()];
};
