import { expect, it } from '@jest/globals';
import { createLogger } from '../../../platform/telemetry/logger.ts';
import { puffNumber } from '../../../../test/puff-log.ts';
import { createCheckpointFlusher } from './checkpoint-flusher.ts';
import { PuffState } from './puff-state.ts';

it('the lag of checkpoints is the age of the oldest change that is not on disk, over failed writes too', async () => {
  let now = 0;
  let write: () => Promise<void> = () => Promise.reject(new Error('the database is away'));
  const flusher = createCheckpointFlusher({
    checkpoints: {
      writeMonths: () => write(),
      writePeople: () => Promise.resolve(),
    } as never,
    findDeletedUsers: () => Promise.resolve([]),
    onDeleted: () => undefined,
    clock: { now: () => now },
    log: createLogger({ level: 'silent' }),
    intervalMs: 60_000,
    keepFrom: () => '0000-00',
  });
  const state = new PuffState();
  const change = (rev: number) => {
    const puff = puffNumber(rev);
    state.fold({ rev, kind: 'puff', counted: puff, receivedAt: puff.receivedAt });
    flusher.changed('alice', state);
  };

  expect(flusher.lagMs()).toBe(0);
  change(1);
  now = 300;
  change(2);
  expect(flusher.lagMs()).toBe(300);
  await expect(flusher.flush()).rejects.toThrow('away');
  now = 500;
  expect(flusher.lagMs()).toBe(500);

  let finish = () => {};
  write = () => new Promise((resolve) => (finish = resolve));
  const flushed = flusher.flush();
  await new Promise(setImmediate);
  now = 700;
  change(3);
  now = 900;
  expect(flusher.lagMs()).toBe(900);
  finish();
  await flushed;
  expect(flusher.lagMs()).toBe(200);

  write = () => Promise.resolve();
  await flusher.stop();
  expect(flusher.lagMs()).toBe(0);
});
