import type { ClientSession } from 'mongodb';
import { z } from 'zod';
import type { Clock } from '../../../platform/clock.ts';
import type { Logger } from '../../../platform/telemetry/logger.ts';
import type { PreferencesStore } from '../preferences/preferences-store.ts';
import { createInboxDelivery } from './inbox-delivery.ts';
import type { InboxReplay } from './inbox-replay.ts';
import { replayStart } from './inbox-replay.ts';
import { createInboxService, type InboxService, type PushQueue } from './inbox-service.ts';
import type { HiddenWhere, InboxStore } from './inbox-store.ts';

/** The inbox and its delivery to the sockets of this process. */
export interface Inbox extends InboxService, InboxReplay {
  /** Removes a user's name from notifications: everywhere, in one inbox, or of one friend request. */
  hideName(named: string, where?: HiddenWhere, tx?: ClientSession): Promise<void>;
  /** Marks a user's notifications about these milestones as read. */
  markMilestonesRead(userId: string, milestoneIds: readonly string[], tx: ClientSession): Promise<void>;
  /** Another process appended to an inbox: delivers to the sockets here and polls the pushes at once. */
  onRemoteAppend(message: unknown): void;
  start(): void;
  /** Resolves when everything committed by now is delivered to the sockets here. */
  drain(): Promise<void>;
  stop(): Promise<void>;
}

const InboxAppendedMessage = z.object({ userId: z.string() });

export const createInbox = (deps: {
  store: InboxStore;
  preferences: Pick<PreferencesStore, 'find'>;
  push: PushQueue & { kick(): void };
  /** An inbox may have a new row: publishes it to the other processes. */
  onAppended: (appended: { userId: string }) => void;
  clock: Clock;
  log: Logger;
}): Inbox => {
  const { store, push, clock, log } = deps;
  const delivery = createInboxDelivery({ store, log });
  const deliverNow = (userId: string) => {
    delivery.deliverSoon(userId);
    push.kick();
  };
  const service = createInboxService({
    ...deps,
    onAppended(userId) {
      deliverNow(userId);
      deps.onAppended({ userId });
    },
  });
  return {
    ...service,
    async replayStart(userId, lastSeq) {
      const head = await store.head(userId);
      const missed = typeof lastSeq === 'number' ? await store.listAfter(userId, lastSeq, 1) : [];
      const now = clock.now();
      return { head, ...replayStart(lastSeq, { head, ...(missed[0] && { firstMissed: missed[0] }), now }) };
    },
    subscribe: delivery.subscribe,
    hideName: (named, where, tx) => store.hideName(named, clock.now(), where, tx),
    markMilestonesRead: (userId, milestoneIds, tx) =>
      store.markMilestonesRead(userId, milestoneIds, clock.now(), tx),
    onRemoteAppend(message) {
      const parsed = InboxAppendedMessage.safeParse(message);
      if (parsed.success) deliverNow(parsed.data.userId);
    },
    start: delivery.start,
    drain: delivery.drain,
    stop: delivery.stop,
  };
};
