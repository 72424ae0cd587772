import { DomainError } from '../../../platform/edge/errors.ts';

/** The account of a valid token has been deleted. */
export const accountGone = (): never => {
  throw new DomainError('account-gone', { detail: 'This account does not exist any more.' });
};
