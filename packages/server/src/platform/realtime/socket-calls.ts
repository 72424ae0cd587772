import { clientEvents, rateClassOfEvent } from '@pufftrack/contract';
import type { Clock } from '../clock.ts';
import { withDeadline } from '../concurrency/deadline.ts';
import { DomainError } from '../edge/errors.ts';
import { refuseForbiddenKeys } from '../http/body.ts';
import { invalidInput, problemOf, toDomainError } from '../edge/problem.ts';
import { logRefusal } from '../edge/refusals.ts';
import type { Authenticate } from '../edge/actor.ts';
import { newUuid } from '../ids.ts';
import { rateLimited, type RateLimits } from '../limits/rate-limits.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { AppSocket } from './app-socket.ts';
import type { SocketEvent } from './socket-event.ts';
import type { SocketMetrics } from './socket-metrics.ts';

const maxStrikes = 3;

export interface SocketCallDeps {
  readonly events: readonly SocketEvent[];
  readonly authenticate: Authenticate;
  readonly limits: RateLimits;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: SocketMetrics;
  readonly requireCapacity: () => void;
  /** ms from an event to its ack. */
  readonly requestDeadlineMs: number;
}

type Handle = (socket: AppSocket, payload: object) => Promise<object>;

/**
 * Answers everything that sockets send: known events within their limits, and unknown ones with a problem. Nothing that
 * a client sends ends the process; the third call beyond a limit ends the socket (WS-4).
 */
export const createSocketCalls = (deps: SocketCallDeps): ((socket: AppSocket) => void) => {
  const handlers = new Map<string, Handle>([
    ['authenticate', (socket, payload) => authenticateAgain(socket, payload, deps)],
    ...deps.events.map(({ name, handle }): [string, Handle] => [
      name,
      (socket, payload) => handle({ actor: socket.data.actor, payload, log: deps.log }),
    ]),
  ]);

  const countCall = async (socket: AppSocket, event: string) => {
    const counted = deps.limits.take('person', socket.data.actor.userId, rateClassOfEvent(event));
    const state = counted instanceof Promise ? await counted : counted;
    if (!state || state.allowed) return;
    socket.data.strikes += 1;
    throw rateLimited(state);
  };

  /** The check of all sockets closes this one within a second; until then a new token may still come. */
  const requireToken = (socket: AppSocket, event: string) => {
    if (event !== 'authenticate' && deps.clock.now() >= socket.data.actor.expiresAt)
      throw new DomainError('token-expired', {
        detail:
          'The access token of this socket has expired. Send `authenticate` with a new one, or connect again.',
      });
  };

  const counted = (event: string, outcome: Parameters<SocketMetrics['answered']>[1]) => {
    deps.metrics.answered(handlers.has(event) ? event : 'unknown', outcome);
  };

  const handled = async (socket: AppSocket, event: string, payload: unknown): Promise<object> => {
    deps.requireCapacity();
    await countCall(socket, event);
    requireToken(socket, event);
    const handle = handlers.get(event);
    if (!handle) throw new DomainError('not-found', { detail: 'No such event.' });
    const value = payload ?? {};
    if (typeof value !== 'object' || Array.isArray(value))
      throw new DomainError('malformed', { detail: 'The payload must be a JSON object.' });
    refuseForbiddenKeys(value);
    return handle(socket, value);
  };

  const answer = async (socket: AppSocket, event: string, payload: unknown): Promise<object> => {
    const requestId = newUuid();
    try {
      const answered = await withDeadline(deps.requestDeadlineMs, () => handled(socket, event, payload));
      counted(event, 'ok');
      return answered;
    } catch (thrown) {
      const error = toDomainError(thrown);
      counted(event, error.code);
      logRefusal(error, {
        where: `socket ${handlers.has(event) ? event : 'unknown'}`,
        actor: socket.data.actor,
        log: () => deps.log.child({ requestId }),
      });
      if (error.code === 'internal')
        deps.log.error(
          {
            event: 'socket.event_failed',
            err: error.details.cause,
            requestId,
            socketEvent: event.slice(0, 40),
          },
          'socket event failed',
        );
      return { error: problemOf(error, requestId) };
    }
  };

  return (socket) => {
    socket.onAny((event: string, ...args: unknown[]) => {
      const ack = args.at(-1);
      const payload = typeof args[0] === 'function' ? undefined : args[0];
      void answer(socket, event, payload).then((value) => {
        if (typeof ack === 'function') (ack as (value: object) => void)(value);
        if (socket.data.strikes < maxStrikes) return;
        deps.log.warn(
          { event: 'socket.limit_strikes', userId: socket.data.actor.userId },
          'socket closed after repeated limit violations',
        );
        socket.disconnect(true);
      });
    });
  };
};

/** A new token for the socket, of the same person and session; any other one ends the socket (WS-2). */
const authenticateAgain = async (
  socket: AppSocket,
  payload: object,
  { authenticate, clock }: SocketCallDeps,
): Promise<object> => {
  const parsed = clientEvents.authenticate.safeParse(payload);
  if (!parsed.success) throw invalidInput(parsed.error);
  const held = socket.data.actor;
  try {
    const actor = await authenticate(parsed.data.token);
    if (actor.userId !== held.userId || actor.sessionId !== held.sessionId)
      throw new DomainError('invalid-token', { detail: 'This is a token of another session.' });
    socket.data.actor = actor;
    socket.data.warned = false;
    return { expiresIn: Math.floor((actor.expiresAt - clock.now()) / 1000) };
  } catch (error) {
    // After the ack, which carries the reason.
    setImmediate(() => socket.disconnect(true));
    throw error;
  }
};
