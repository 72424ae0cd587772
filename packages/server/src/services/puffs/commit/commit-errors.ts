import { DomainError } from '../../../platform/edge/errors.ts';
import { UnknownOutcomeError } from '../log/puff-store.ts';

export const unavailable = (cause: unknown): DomainError =>
  new DomainError('overloaded', {
    detail:
      cause instanceof UnknownOutcomeError
        ? 'The database did not confirm the write. Send the same puffs again: none is counted twice.'
        : 'The server cannot take this now. Send the same puffs again: none is counted twice.',
    retryAfterSeconds: 1,
    cause,
  });

export const accountGone = (): DomainError =>
  new DomainError('account-gone', { detail: 'This account does not exist any more.' });

/** The error that a pending write is rejected with. */
export const refusalOf = (error: unknown): DomainError =>
  error instanceof DomainError ? error : unavailable(error);
