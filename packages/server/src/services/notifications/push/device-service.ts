import type { ClientSession } from 'mongodb';
import type { Clock } from '../../../platform/clock.ts';
import type { Actor } from '../../../platform/edge/actor.ts';
import { newId } from '../../../platform/ids.ts';
import { createKeyedMutex } from '../../../platform/concurrency/keyed-mutex.ts';
import type { Logger } from '../../../platform/telemetry/logger.ts';
import type { ApnsEnvironment } from './apns/apns-client.ts';
import type { DeviceStore } from './device-store.ts';

/** Beyond it, the device with the oldest registration is removed (PUSH-6). */
const maxDevices = 10;

export interface DeviceService {
  /** A token belongs to one account: registering it moves it from the account that had it before. */
  register(
    actor: Actor,
    device: { token: string; environment: ApnsEnvironment; bundleId: string; locale?: string | undefined },
  ): Promise<{ environment: ApnsEnvironment; registeredAt: string }>;
  remove(userId: string, token: string): Promise<void>;
  /** The session has ended. Does not throw: each push checks its session, so the devices get none in any case. */
  removeSession(sessionId: string): void;
}

export const createDeviceService = (deps: {
  store: DeviceStore;
  inTransaction: <T>(work: (tx: ClientSession) => Promise<T>) => Promise<T>;
  clock: Clock;
  log: Logger;
}): DeviceService => {
  const { store, clock } = deps;
  /** One registration of a user at a time, so that each counts those before it. */
  const runExclusive = createKeyedMutex(clock);
  return {
    async register({ userId, sessionId }, { token, environment, bundleId, locale }) {
      const registeredAt = clock.now();
      const put = async (tx: ClientSession) => {
        await store.register(
          {
            id: newId(),
            token,
            userId,
            sessionId,
            environment,
            bundleId,
            locale: locale ?? null,
            registeredAt,
          },
          tx,
        );
        const surplus = (await store.list(userId, tx)).slice(maxDevices);
        if (surplus.length > 0)
          await store.remove(
            surplus.map(({ id }) => id),
            tx,
          );
      };
      await runExclusive(userId, () => deps.inTransaction(put));
      return { environment, registeredAt: new Date(registeredAt).toISOString() };
    },
    remove: (userId, token) => store.removeToken(userId, token),
    removeSession(sessionId) {
      store.removeSession(sessionId).catch((error: unknown) => {
        deps.log.warn(
          { event: 'devices.not_removed', err: error },
          'removing the devices of an ended session failed',
        );
      });
    },
  };
};
