import type { Clock } from '../../platform/clock.ts';
import type { Logger } from '../../platform/telemetry/logger.ts';
import type { NonceStore } from './sign-in/nonce-store.ts';
import type { SessionStore } from './sessions/session-store.ts';
import type { SigningKeyStore } from './keys/signing-key-store.ts';
import { verifyRetiredMs } from './keys/signing-keys.ts';

const everyMs = 10 * 60_000;

export interface Sweep {
  /** Removes nonces that have expired, sessions that ended or expired 30 days ago, and keys whose tokens have run out, and jobs done long ago. */
  run(): Promise<void>;
  start(): void;
  stop(): Promise<void>;
}

/** What a TTL index would do, on the injected clock; any number of processes may do it. */
export const createSweep = (deps: {
  nonces: NonceStore;
  sessions: SessionStore;
  keys: SigningKeyStore;
  outboxes: readonly { removeLongDone(now: number): Promise<void> }[];
  clock: Clock;
  log: Logger;
}): Sweep => {
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> = Promise.resolve();

  const run = async () => {
    await deps.nonces.removeExpired(deps.clock.now());
    await deps.sessions.removeLongEnded(deps.clock.now());
    await deps.keys.removeRetired(deps.clock.now() - verifyRetiredMs);
    for (const outbox of deps.outboxes) await outbox.removeLongDone(deps.clock.now());
  };
  const tick = () => {
    running = run().catch((error: unknown) => {
      deps.log.warn(
        { event: 'auth.sweep_failed', err: error },
        'expired rows were not removed; tried again later',
      );
    });
  };

  return {
    run,
    start() {
      timer = setInterval(tick, everyMs).unref();
      tick();
    },
    async stop() {
      clearInterval(timer);
      await running;
    },
  };
};
