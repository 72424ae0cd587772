import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { withDeadline, type Deadline } from './deadline.ts';

describe('the deadline of a request', () => {
  beforeEach(() => {
    jest.useFakeTimers();
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  const never = () => new Promise<never>(() => undefined);
  /** What has become of it by now. */
  const outcomeOf = (work: Promise<unknown>) => {
    const outcome: { value?: unknown; code?: unknown } = {};
    work.then(
      (value) => (outcome.value = value),
      (error: unknown) => (outcome.code = (error as { code?: unknown }).code ?? error),
    );
    return outcome;
  };

  it('gives the outcome of work that ends in time, and leaves no timer', async () => {
    expect(await withDeadline(1_000, () => Promise.resolve('done'))).toBe('done');
    await expect(withDeadline(1_000, () => Promise.reject(new RangeError('no')))).rejects.toThrow('no');
    expect(jest.getTimerCount()).toBe(0);
  });

  it('is `overloaded` with a time to come back once the limit has passed, and not before', async () => {
    const outcome = outcomeOf(withDeadline(1_000, never));
    await jest.advanceTimersByTimeAsync(999);
    expect(outcome).toEqual({});
    await jest.advanceTimersByTimeAsync(1);
    expect(outcome).toEqual({ code: 'overloaded' });
    await expect(
      Promise.all([withDeadline(5, never), jest.advanceTimersByTimeAsync(5)]),
    ).rejects.toMatchObject({ details: { retryAfterSeconds: 2 } });
  });

  it('does not count the time in which a body arrives, and all the rest', async () => {
    let bodyHasArrived = () => {};
    const outcome = outcomeOf(
      withDeadline(1_000, async (deadline: Deadline) => {
        await new Promise((resolve) => setTimeout(resolve, 400));
        await deadline.without(new Promise<void>((resolve) => (bodyHasArrived = resolve)));
        return never();
      }),
    );
    await jest.advanceTimersByTimeAsync(60_000);
    expect(outcome).toEqual({});
    bodyHasArrived();
    await jest.advanceTimersByTimeAsync(598);
    expect(outcome).toEqual({});
    await jest.advanceTimersByTimeAsync(3);
    expect(outcome).toEqual({ code: 'overloaded' });
  });

  it('counts again after a body that failed', async () => {
    const outcome = outcomeOf(
      withDeadline(1_000, async (deadline) => {
        await deadline.without(Promise.reject(new Error('cut'))).catch(() => undefined);
        return never();
      }),
    );
    await jest.advanceTimersByTimeAsync(1_001);
    expect(outcome).toEqual({ code: 'overloaded' });
  });
});
