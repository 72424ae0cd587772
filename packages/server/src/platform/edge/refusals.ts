import { problemStatus } from '@pufftrack/contract';
import { DomainError } from './errors.ts';
import type { Logger } from '../telemetry/logger.ts';
import { isAuthenticationFailure } from './problem.ts';
import type { Actor } from './actor.ts';

/**
 * Logs failed authentication, and what an authenticated caller was denied (ASVS 16.3.1, 16.3.2). `where`
 * is an endpoint's method and path template, or an event's name. An expired token is expected and logged
 * to `debug` alone. A 404 of a known caller may be an id of another account, which answers like one that does not exist;
 * no query decides which, so each is an event, bounded by the caller's rate limit: a scan of ids is many of them.
 */
export const logRefusal = (
  thrown: unknown,
  { where, actor, log }: { where: string; actor: Actor | undefined; log: () => Logger },
): void => {
  if (!(thrown instanceof DomainError)) return;
  const status = problemStatus[thrown.code];
  if (status === 401)
    log()[isAuthenticationFailure(thrown) ? 'info' : 'debug'](
      { event: 'auth.refused', code: thrown.code, where, ...(actor && { userId: actor.userId }) },
      'authentication failed',
    );
  else if (status === 403)
    log().info(
      { event: 'access.denied', code: thrown.code, where, ...(actor && { userId: actor.userId }) },
      'access denied',
    );
  else if (status === 404 && actor)
    log().info(
      { event: 'access.not_found', where, userId: actor.userId },
      'an id does not exist or belongs to another account',
    );
};
