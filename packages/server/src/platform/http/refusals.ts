import { problemStatus } from '@pufftrack/contract';
import { DomainError } from '../errors.ts';
import type { Logger } from '../logger.ts';
import { isGuess } from './problem.ts';
import type { Actor } from '../actor.ts';

/**
 * Keeps a trace of who was not let in, and of what was not allowed to somebody who was (ASVS 16.3.1, 16.3.2). `where`
 * is an endpoint's method and path template, or an event's name. A token that has run out is everyday life, and told
 * to `debug` alone.
 */
export const logRefusal = (
  thrown: unknown,
  { where, actor, log }: { where: string; actor: Actor | undefined; log: () => Logger },
): void => {
  if (!(thrown instanceof DomainError)) return;
  const status = problemStatus[thrown.code];
  if (status === 401)
    log()[isGuess(thrown) ? 'info' : 'debug'](
      { event: 'auth.refused', code: thrown.code, where, ...(actor && { userId: actor.userId }) },
      'not let in',
    );
  else if (status === 403)
    log().info(
      { event: 'access.denied', code: thrown.code, where, ...(actor && { userId: actor.userId }) },
      'not allowed',
    );
};
