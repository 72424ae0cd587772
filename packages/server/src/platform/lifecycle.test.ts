import { describe, expect, it } from '@jest/globals';
import { createLifecycle } from './lifecycle.ts';
import { createLogger } from './telemetry/logger.ts';

const log = createLogger({ level: 'silent' });

describe('the lifecycle', () => {
  it('stops in the reverse order, once, whoever asks', async () => {
    const parts = createLifecycle(log);
    const stopped: string[] = [];
    for (const name of ['database', 'listener', 'door'])
      await parts.start(
        name,
        () => name,
        (part) => stopped.push(part),
      );
    expect(parts.started).toEqual(['database', 'listener', 'door']);
    await Promise.all([parts.stop(), parts.stop()]);
    expect(stopped).toEqual(['door', 'listener', 'database']);
  });

  it('stops what was started when a part fails, and throws its error', async () => {
    const parts = createLifecycle(log);
    const stopped: string[] = [];
    await parts.start(
      'database',
      () => undefined,
      () => stopped.push('database'),
    );
    await expect(parts.start('listener', () => Promise.reject(new Error('port taken')))).rejects.toThrow(
      'port taken',
    );
    expect(stopped).toEqual(['database']);
  });

  it('goes on stopping after a part that hangs, once the time for all is up', async () => {
    const parts = createLifecycle(log, 10);
    const stopped: string[] = [];
    for (const name of ['database', 'puffs', 'jobs'])
      await parts.start(
        name,
        () => undefined,
        () => (name === 'puffs' ? new Promise(() => undefined) : stopped.push(name)),
      );
    await parts.stop();
    expect(stopped).toEqual(['jobs', 'database']);
  });

  it('goes on stopping after a part that fails to', async () => {
    const parts = createLifecycle(log);
    const stopped: string[] = [];
    await parts.start(
      'database',
      () => undefined,
      () => stopped.push('database'),
    );
    await parts.start(
      'puffs',
      () => undefined,
      () => Promise.reject(new Error('no')),
    );
    await parts.stop();
    expect(stopped).toEqual(['database']);
  });
});
