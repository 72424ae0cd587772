import type { Clock } from '../../../platform/clock.ts';
import type { OutboxJob, OutboxStore } from '../../../platform/outbox/outbox.ts';
import type { Logger } from '../../../platform/telemetry/logger.ts';
import type { Accounts } from '../ports.ts';
import type { AppleLinkStore } from './apple-link-store.ts';
import type { AppleEvent, ReadNotification } from './apple-notification.ts';
import type { SessionService } from '../sessions/session-service.ts';

/** A stored event that has not been applied. */
export type PendingEvent = Omit<AppleEvent, 'id'>;

export interface AppleNotifications {
  /** Stores the events of a notification, once per `jti`; a worker applies them. Throws `malformed` or `apple-unavailable`. */
  receive(payload: string, log: Logger): Promise<void>;
  /** Applies an event (SIWA-11). Idempotent. */
  apply(job: OutboxJob<PendingEvent>): Promise<void>;
}

export const createAppleNotificationService = (deps: {
  read: ReadNotification;
  received: OutboxStore<PendingEvent>;
  /** Called after events were stored, so that the worker applies them now. */
  onStored: () => void;
  links: AppleLinkStore;
  sessions: Pick<SessionService, 'endAll'>;
  accounts: Accounts;
  clock: Clock;
  log: Logger;
}): AppleNotifications => {
  const { received, links, sessions, accounts, clock, log } = deps;

  /** A later sign-in makes an event obsolete. */
  const isObsolete = async (userId: string, at: number): Promise<boolean> => {
    const user = await accounts.view(userId);
    return user !== undefined && Date.parse(user.lastLoginAt) > at;
  };

  const effects: Readonly<Record<string, (userId: string, event: PendingEvent) => Promise<void>>> = {
    async 'consent-revoked'(userId, { at }) {
      if (await isObsolete(userId, at)) return;
      await links.clearRefreshToken(userId);
      await sessions.endAll(userId, 'logout', log);
    },
    async 'account-delete'(userId, { at }) {
      if (await isObsolete(userId, at)) return;
      await accounts.eraseAccount(userId, log);
    },
    // PuffTrack sends no mail; each sign-in reads the address from the identity token.
    'email-disabled': () => Promise.resolve(),
    'email-enabled': () => Promise.resolve(),
  };

  return {
    async receive(payload, requestLog) {
      for (const { id, ...event } of await deps.read(payload)) {
        const isNew = await received.add({ id, payload: event, now: clock.now() });
        requestLog.info(
          { event: 'auth.apple_notification', type: event.type, isNew },
          'Apple notification received',
        );
      }
      deps.onStored();
    },

    async apply({ payload: event }) {
      // Apple documents one name and sends both.
      const effect = effects[event.type === 'account-deleted' ? 'account-delete' : event.type];
      if (!effect) {
        log.warn(
          { event: 'auth.apple_notification_unknown', type: event.type },
          'Apple notification of unknown type ignored',
        );
        return;
      }
      const userId = await links.findUserId(event.sub);
      if (userId !== undefined) await effect(userId, event);
    },
  };
};
