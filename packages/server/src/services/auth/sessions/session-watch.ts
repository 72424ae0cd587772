import type { Logger } from '../../../platform/telemetry/logger.ts';
import { createPoller, type Poller } from '../../../platform/concurrency/poller.ts';
import type { EndReason } from './session.ts';
import type { SessionStore } from './session-store.ts';

/** An ended session is dead everywhere within 5 s (SES-6); this leaves time for the query and a slow moment. */
const everyMs = 2_000;
const idsPerQuery = 5_000;

export interface SessionWatch extends Poller {
  /** Looks once at the sessions of all open sockets. */
  check(): Promise<void>;
}

/**
 * Finds the open sockets whose session another process has ended, by asking the database every 2 s. It needs no bus:
 * where there is one the news comes sooner, and where it is lost this repairs it.
 */
export const createSessionWatch = (deps: {
  sessions: Pick<SessionStore, 'findEnded'>;
  /** The sessions of the sockets that this process holds. */
  openSessions: () => readonly string[];
  onEnded: (ended: { sessionId: string; reason: EndReason }) => void;
  log: Logger;
}): SessionWatch => {
  const check = async () => {
    const open = deps.openSessions();
    for (let from = 0; from < open.length; from += idsPerQuery)
      for (const { id, reason } of await deps.sessions.findEnded(open.slice(from, from + idsPerQuery)))
        deps.onEnded({ sessionId: id, reason });
  };
  const poller = createPoller({
    poll: check,
    everyMs,
    onFailed(error) {
      deps.log.warn({ event: 'auth.session_watch_failed', err: error }, 'open sockets were not checked');
    },
  });

  return { check, ...poller };
};
