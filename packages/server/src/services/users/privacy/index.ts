/** privacy: the deletion of accounts, and the erasure of everything stored about their owners. */
import type { Connection } from 'mongoose';
import type { Clock } from '../../../platform/clock.ts';
import { createPoller } from '../../../platform/concurrency/poller.ts';
import type { Route } from '../../../platform/http/route.ts';
import { createOutboxStore } from '../../../platform/outbox/outbox-store.ts';
import { createOutboxWorker } from '../../../platform/outbox/outbox-worker.ts';
import type { Job } from '../../../platform/scheduler/job.ts';
import type { Logger } from '../../../platform/telemetry/logger.ts';
import type { UserBase } from '../accounts/index.ts';
import type { FriendService } from '../friends/friend-service.ts';
import type { AccountClosing, PendingWrites, PersonalData } from '../ports.ts';
import type { FriendConnectionStore } from '../sharing/friend-connection-store.ts';
import { accountDeletionRoutes } from './account-deletion-routes.ts';
import type { Erasure } from './erasure-rules.ts';
import { erasureJobs } from './erasure-jobs.ts';
import { createErasureLedgerStore } from './erasure-ledger-store.ts';
import { createErasureService, type ErasureService } from './erasure-service.ts';

const pollEveryMs = 2_000;

export interface PrivacyRoom {
  readonly routes: Route[];
  readonly jobs: Job[];
  readonly erasures: Pick<ErasureService, 'begin'>;
  ensureIndexes(): Promise<void>;
  start(): void;
  /** Resolves when every erasure pass that is due has run. */
  drain(): Promise<void>;
  stop(): Promise<void>;
}

export const createPrivacyRoom = (
  deps: UserBase & {
    connection: Connection;
    connections: FriendConnectionStore;
    friends: FriendService;
    accountClosing: AccountClosing;
    owners: () => readonly PersonalData[];
    pendingWrites: PendingWrites;
    masterKey: Buffer;
    clock: Clock;
    log: Logger;
  },
): PrivacyRoom => {
  const { clock, log } = deps;
  const ledger = createErasureLedgerStore(deps.connection);
  const outbox = createOutboxStore<Erasure>(deps.connection, 'erasures');
  const erasures: ErasureService = createErasureService({
    ...deps,
    outbox,
    ledger,
    onBegun: () => {
      worker.kick();
    },
  });
  const worker = createOutboxWorker({
    name: 'erasures',
    store: outbox,
    handle: erasures.runCleanupPass,
    giveUpAfterMs: Infinity,
    clock,
    log,
  });
  // Evicts cached data of accounts that another process has deleted; it needs no bus.
  const poller = createPoller({
    poll: erasures.evictErased,
    everyMs: pollEveryMs,
    onFailed(error) {
      log.warn({ event: 'users.erasure_watch_failed', err: error }, 'reading open erasures failed');
    },
  });
  return {
    routes: accountDeletionRoutes(erasures),
    jobs: erasureJobs({ ledger, outbox, clock }),
    erasures,
    async ensureIndexes() {
      await outbox.ensureIndexes();
      await ledger.ensureIndexes();
    },
    start() {
      poller.start();
      worker.start();
    },
    drain: worker.run,
    async stop() {
      await poller.stop();
      await worker.stop();
    },
  };
};
