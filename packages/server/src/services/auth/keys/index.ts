/** Room of the signing keys and of everything that auth stores sealed. */
import type { Connection } from 'mongoose';
import type { Clock } from '../../../platform/clock.ts';
import type { Route } from '../../../platform/http/route.ts';
import type { Job } from '../../../platform/scheduler/job.ts';
import type { Logger } from '../../../platform/telemetry/logger.ts';
import { jwksRoutes } from './jwks-routes.ts';
import { resealJob } from './reseal-job.ts';
import type { MasterKeys } from './sealed.ts';
import { createSealedStore } from './sealed-store.ts';
import { createSigningKeyStore } from './signing-key-store.ts';
import { createSigningKeys, verifyRetiredMs, type SigningKeys } from './signing-keys.ts';

export interface Keys {
  readonly signingKeys: SigningKeys;
  readonly routes: readonly Route[];
  readonly jobs: readonly Job[];
  /** Removes signing keys whose last token has expired. */
  removeRetired(now: number): Promise<void>;
  ensureIndexes(): Promise<void>;
}

export const createKeys = (deps: {
  connection: Connection;
  clock: Clock;
  log: Logger;
  masterKeys: MasterKeys;
}): Keys => {
  const { connection, clock, log, masterKeys } = deps;
  const store = createSigningKeyStore(connection);
  const signingKeys = createSigningKeys({ store, clock, log, masterKeys });
  return {
    signingKeys,
    routes: jwksRoutes(signingKeys),
    jobs: [resealJob({ rows: createSealedStore(connection), masterKeys })],
    removeRetired: (now) => store.removeRetired(now - verifyRetiredMs),
    ensureIndexes: store.ensureIndexes,
  };
};
