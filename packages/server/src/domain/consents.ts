import type { Purpose } from '@pufftrack/contract';

/** The purposes that are granted at a version in force. */
export interface HasConsents {
  readonly consents: ReadonlySet<Purpose>;
}

/** Consents without which nothing is derived from a user's puffs, goals and days, stored or shown to others. */
export const processingPurposes: readonly Purpose[] = ['terms', 'health-processing'];

/**
 * Whether jobs, boards, friends and live events may use what a user recorded. The user's own view and deletions do not
 * depend on it.
 */
export const isProcessed = ({ consents }: HasConsents): boolean =>
  processingPurposes.every((purpose) => consents.has(purpose));
