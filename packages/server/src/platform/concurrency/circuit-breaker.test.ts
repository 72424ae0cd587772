import { describe, expect, it } from '@jest/globals';
import { createCircuitBreaker, UnavailableError } from './circuit-breaker.ts';

const setUp = (maxInFlight = 10) => {
  let now = 1_000;
  const changes: boolean[] = [];
  let unavailable = 0;
  let calls = 0;
  const breaker = createCircuitBreaker({
    name: 'Apple',
    clock: { now: () => now },
    failures: 3,
    openMs: 100,
    maxInFlight,
    watch: {
      unavailable: () => {
        unavailable++;
      },
      changed: (isOpen) => void changes.push(isOpen),
    },
  });
  const settledCall = (work: () => Promise<unknown>) =>
    breaker
      .run(() => {
        calls++;
        return work();
      })
      .then(
        () => 'answer',
        (error: unknown) => (error instanceof UnavailableError ? 'unavailable' : 'error'),
      );
  return {
    changes,
    advance: (ms: number) => void (now += ms),
    succeed: () => settledCall(() => Promise.resolve()),
    timeOut: () => settledCall(() => Promise.reject(new UnavailableError('no answer'))),
    reject: () => settledCall(() => Promise.reject(new RangeError('bad request'))),
    settledCall,
    calls: () => calls,
    unavailable: () => unavailable,
  };
};

describe('createCircuitBreaker', () => {
  it('opens after the given number of unavailable calls in a row', async () => {
    const { timeOut, succeed, calls, changes, unavailable } = setUp();
    for (let i = 0; i < 3; i++) expect(await timeOut()).toBe('unavailable');
    expect(changes).toEqual([true]);
    expect(await succeed()).toBe('unavailable');
    expect(calls()).toBe(3);
    expect(unavailable()).toBe(4);
  });

  it('counts only consecutive failures, and an error answer is no failure', async () => {
    const { timeOut, reject, changes } = setUp();
    for (let i = 0; i < 2; i++) await timeOut();
    expect(await reject()).toBe('error');
    for (let i = 0; i < 2; i++) await timeOut();
    expect(changes).toEqual([]);
  });

  it('lets one call through after the open time, and closes when it is answered', async () => {
    const { timeOut, succeed, advance, calls, changes, settledCall } = setUp();
    for (let i = 0; i < 3; i++) await timeOut();
    advance(99);
    expect(await succeed()).toBe('unavailable');
    advance(1);
    let finish = () => {};
    const trial = settledCall(() => new Promise<void>((resolve) => (finish = resolve)));
    expect(await succeed()).toBe('unavailable');
    expect(calls()).toBe(4);
    finish();
    expect(await trial).toBe('answer');
    expect(changes).toEqual([true, false]);
    expect(await succeed()).toBe('answer');
  });

  it('stays open for another period when the trial call fails', async () => {
    const { timeOut, succeed, advance, calls } = setUp();
    for (let i = 0; i < 3; i++) await timeOut();
    advance(100);
    await timeOut();
    advance(99);
    expect(await succeed()).toBe('unavailable');
    expect(calls()).toBe(4);
  });

  it('rejects calls above the limit in flight without running them', async () => {
    const { settledCall, succeed, calls } = setUp(1);
    let finish = () => {};
    const running = settledCall(() => new Promise<void>((resolve) => (finish = resolve)));
    expect(await succeed()).toBe('unavailable');
    expect(calls()).toBe(1);
    finish();
    await running;
    expect(await succeed()).toBe('answer');
  });
});
