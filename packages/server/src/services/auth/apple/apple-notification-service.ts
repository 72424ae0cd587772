import type { Clock } from '../../../platform/clock.ts';
import type { OutboxJob, OutboxStore } from '../../../platform/outbox/outbox.ts';
import type { Logger } from '../../../platform/telemetry/logger.ts';
import type { Accounts } from '../accounts.ts';
import type { AppleLinkStore } from './apple-link-store.ts';
import type { AppleEvent, ReadNotification } from './apple-notification.ts';
import type { SessionService } from '../sessions/session-service.ts';

/** An event that waits for its effect. */
export type PendingEvent = Omit<AppleEvent, 'id'>;

export interface AppleNotifications {
  /** Keeps what Apple says, once for each `jti`; the effects follow. Throws `malformed` or `apple-unavailable`. */
  receive(payload: string, log: Logger): Promise<void>;
  /** Does what an event asks for (SIWA-11); doing it twice changes nothing more. */
  apply(job: OutboxJob<PendingEvent>): Promise<void>;
}

export const createAppleNotifications = (deps: {
  read: ReadNotification;
  inbox: OutboxStore<PendingEvent>;
  /** Something was kept: it may be worked on now. */
  onKept: () => void;
  links: AppleLinkStore;
  sessions: Pick<SessionService, 'endAll'>;
  accounts: Accounts;
  clock: Clock;
  log: Logger;
}): AppleNotifications => {
  const { inbox, links, sessions, accounts, clock, log } = deps;

  /** The person may have signed in again since: then an event of before says nothing of now. */
  const isOvertaken = async (userId: string, at: number): Promise<boolean> => {
    const user = await accounts.view(userId);
    return user !== undefined && Date.parse(user.lastLoginAt) > at;
  };

  const effects: Readonly<Record<string, (userId: string, event: PendingEvent) => Promise<void>>> = {
    async 'consent-revoked'(userId, { at }) {
      if (await isOvertaken(userId, at)) return;
      await links.dropRefreshToken(userId);
      await sessions.endAll(userId, 'logout', log);
    },
    async 'account-delete'(userId, { at }) {
      if (await isOvertaken(userId, at)) return;
      await accounts.eraseAccount(userId, log);
    },
    // Nothing is mailed to anybody; the address is read anew at each sign-in.
    'email-disabled': () => Promise.resolve(),
    'email-enabled': () => Promise.resolve(),
  };

  return {
    async receive(payload, requestLog) {
      for (const { id, ...event } of await deps.read(payload)) {
        const kept = await inbox.add({ id, payload: event, now: clock.now() });
        requestLog.info({ event: 'auth.apple_notification', type: event.type, kept }, 'Apple has sent news');
      }
      deps.onKept();
    },

    async apply({ payload: event }) {
      // Both names stand in Apple's documents and in the field.
      const effect = effects[event.type === 'account-deleted' ? 'account-delete' : event.type];
      if (!effect) {
        log.warn({ event: 'auth.apple_notification_unknown', type: event.type }, 'news of an unknown kind');
        return;
      }
      const userId = await links.findUserId(event.sub);
      if (userId !== undefined) await effect(userId, event);
    },
  };
};
