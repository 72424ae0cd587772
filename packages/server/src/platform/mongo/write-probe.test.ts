import { describe, expect, it } from '@jest/globals';
import { createLogger } from '../telemetry/logger.ts';
import { createMetrics } from '../telemetry/metrics.ts';
import { createWriteProbe } from './write-probe.ts';

describe('the probe of writes', () => {
  const probeWith = (write: () => Promise<void>) => {
    let now = 1_000_000;
    const lines: string[] = [];
    const log = createLogger({ level: 'info', destination: { write: (line) => lines.push(line) } });
    const probe = createWriteProbe({ write, now: () => now, log, metrics: createMetrics(), everyMs: 1 });
    return {
      probe,
      advance: (ms: number) => (now += ms),
      events: () => lines.map((line) => (JSON.parse(line) as { event?: string }).event),
    };
  };

  it('says no once the last write is 10 s old, and yes with the first that gets through', async () => {
    const attempts: (() => void)[] = [];
    const { probe, advance } = probeWith(() => new Promise<void>((done) => attempts.push(done)));
    const nextAttempt = async (): Promise<() => void> => {
      for (;;) {
        const done = attempts.shift();
        if (done) return done;
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
    };
    expect(probe.takesWrites()).toBe(true);
    probe.start();
    const stalled = await nextAttempt();
    advance(9_999);
    expect(probe.takesWrites()).toBe(true);
    advance(1);
    expect(probe.takesWrites()).toBe(false);
    // One at a time: a write that hangs is not joined by others.
    expect(attempts).toEqual([]);
    stalled();
    const second = await nextAttempt();
    expect(probe.takesWrites()).toBe(true);
    second();
    const stopped = probe.stop();
    for (const done of attempts) done();
    await stopped;
  });

  it('goes on after writes that fail, and logs the beginning and the end of it once', async () => {
    let attempts = 0;
    let fails = true;
    let onAttempt = () => {};
    const { probe, advance, events } = probeWith(() => {
      attempts += 1;
      onAttempt();
      return fails ? Promise.reject(new Error('operation exceeded time limit')) : Promise.resolve();
    });
    const untilAttempts = (count: number) =>
      new Promise<void>((resolve) => {
        onAttempt = () => {
          if (attempts >= count) resolve();
        };
        onAttempt();
      });
    probe.start();
    advance(10_000);
    await untilAttempts(5);
    fails = false;
    await untilAttempts(attempts + 2);
    await probe.stop();
    expect(probe.takesWrites()).toBe(true);
    expect(events()).toEqual(['database.writes_stalled', 'database.writes_resumed']);
  });
});
