import { describe, expect, test } from '@jest/globals';
import { problemStatus, type ProblemCode, type UserStats } from '@pufftrack/contract';
import { ApiError, networkError, problemError } from './api-error.ts';
import { handlingOf, problemHandling, type Handling } from './problem-handling.ts';
import { createPuffQueue } from './puff-queue.ts';
import { memoryPuffStorage } from './puff-storage.ts';

const codes = Object.keys(problemStatus) as ProblemCode[];
const errorOf = (code: ProblemCode | 'network') => {
  if (code === 'network') return networkError('no answer');
  const status = problemStatus[code];
  return problemError(
    { type: 't', title: 't', status, code, detail: 'd', requestId: 'r', instance: 'i' },
    7_000,
  );
};

const staysQueued: Readonly<Record<Handling, boolean>> = {
  'retry-later': true,
  'sign-in': true,
  consent: true,
  'update-app': true,
  'set-aside': true,
  reject: false,
};

describe('every problem code', () => {
  test('has a handling', () => {
    expect(Object.keys(problemHandling).sort()).toEqual([...codes, 'network'].sort());
  });

  test.each([...codes, 'network' as const])('%s: the puff is queued or listed, never gone', async (code) => {
    const error = errorOf(code);
    let sent = 0;
    const queue = createPuffQueue({
      storage: memoryPuffStorage(),
      now: () => 0,
      newId: () => crypto.randomUUID(),
      remove: () => Promise.resolve({ stats: {} as UserStats }),
      send: () => {
        sent += 1;
        return Promise.reject(error);
      },
    });
    const puff = await queue.add();
    const result = await queue.flush();
    const isQueued = staysQueued[handlingOf(error)];
    expect(await queue.list()).toEqual(isQueued ? [puff] : []);
    expect(await queue.rejected()).toMatchObject(isQueued ? [] : [{ puff, result: { code } }]);
    expect(result.pending).toBe(isQueued ? 1 : 0);
    expect(result.stoppedBy).toBe(isQueued && code !== 'internal' ? error : undefined);
    expect(sent).toBe(1);
  });

  test.each([
    ['rate-limited', 'retry-later'],
    ['overloaded', 'retry-later'],
    ['network', 'retry-later'],
    ['not-found', 'retry-later'],
    ['token-expired', 'sign-in'],
    ['consent-required', 'consent'],
    ['upgrade-required', 'update-app'],
    ['forbidden-key', 'reject'],
    ['payload-too-large', 'reject'],
    ['day-full', 'reject'],
  ] as const)('%s: %s', (code, handling) => {
    expect(handlingOf(errorOf(code))).toBe(handling);
  });

  test.each([
    [400, 'reject'],
    [401, 'sign-in'],
    [403, 'retry-later'],
    [422, 'reject'],
    [426, 'update-app'],
    [503, 'retry-later'],
  ])('a code of a newer server goes by its status: %i', (status, handling) => {
    const code = 'toString' as ProblemCode;
    expect(handlingOf(new ApiError({ status, code, message: '' }))).toBe(handling);
  });
});
