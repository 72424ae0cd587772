import { secondMs } from '../../../domain/durations.ts';
import { createPoller, type Poller } from '../../../platform/concurrency/poller.ts';
import type { Logger } from '../../../platform/telemetry/logger.ts';
import type { OpenSockets, SessionEnded } from '../ports.ts';
import type { SessionStore } from './session-store.ts';

/** An ended session is unusable everywhere within 5 s (SES-6); this leaves time for a slow query. */
const everyMs = 2 * secondMs;
const idsPerQuery = 5_000;

/**
 * Finds open sockets whose session another process has ended, by polling the database. It needs no bus; it repairs
 * lost bus messages.
 */
export const createSessionPoller = (deps: {
  sessions: Pick<SessionStore, 'findEnded'>;
  sockets: Pick<OpenSockets, 'openSessions'>;
  onEnded: (ended: SessionEnded) => void;
  log: Logger;
}): Poller =>
  createPoller({
    everyMs,
    async poll() {
      const open = deps.sockets.openSessions();
      for (let from = 0; from < open.length; from += idsPerQuery)
        for (const { id, reason } of await deps.sessions.findEnded(open.slice(from, from + idsPerQuery)))
          deps.onEnded({ sessionId: id, reason });
    },
    onFailed(error) {
      deps.log.warn(
        { event: 'auth.session_poll_failed', err: error },
        'session check of open sockets failed',
      );
    },
  });
