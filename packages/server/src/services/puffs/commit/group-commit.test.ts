import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { pino } from 'pino';
import { puffNumber } from '../../../../test/puff-log.ts';
import { DomainError } from '../../../platform/edge/errors.ts';
import { PuffState } from '../state/puff-state.ts';
import { createGroupCommit, type GroupCommit } from './group-commit.ts';

type Fault = 'none' | 'refused' | 'unread' | 'admission throws' | 'erasure check throws' | 'fold throws';
type Kind = 'puff' | 'batch' | 'task' | 'drain';

const faults: readonly Fault[] = [
  'none',
  'refused',
  'unread',
  'admission throws',
  'erasure check throws',
  'fold throws',
];
const refusal = () => new DomainError('consent-required', { detail: 'withdrawn' });

/** A group commit on a store in memory; each person has one fault, by the name `<number> <fault>`. */
const withFaults = (): GroupCommit => {
  const states = new Map<string, PuffState>();
  const peek = (person: string) => {
    let state = states.get(person);
    if (!state) states.set(person, (state = new PuffState()));
    return state;
  };
  const faultOf = (person: string) => person.slice(2) as Fault;
  return createGroupCommit({
    store: {
      insert: () => Promise.resolve(new Set()),
      findUsedIds: () => Promise.resolve(new Set()),
    },
    states: {
      peek,
      getCurrent: (person) => Promise.resolve(peek(person)),
      getWithMonths: (person) => Promise.resolve(peek(person)),
      drop: () => undefined,
    },
    onChange(person) {
      if (faultOf(person) === 'fold throws') throw new Error('injected into the fold');
    },
    admission: {
      check(person) {
        if (faultOf(person) === 'admission throws') throw new Error('injected into the admission');
        if (faultOf(person) === 'refused') return refusal();
        return faultOf(person) === 'unread' ? 'unknown' : 'granted';
      },
      read: () => Promise.reject(refusal()),
    },
    isErased(person) {
      if (faultOf(person) === 'erasure check throws') throw new Error('injected into the erasure check');
      return false;
    },
    log: pino({ level: 'silent' }),
    metrics: { groupWritten: () => undefined },
    shards: 1,
    maxQueued: 1_000,
  });
};

const start = (commit: GroupCommit, person: string, kind: Kind): Promise<unknown> => {
  if (kind === 'task') return commit.runExclusive(person, () => Promise.resolve());
  if (kind === 'drain') return commit.drain(person);
  const puffs = kind === 'puff' ? [puffNumber(0)] : [puffNumber(0), puffNumber(1), puffNumber(0)];
  return commit.append(person, puffs, 0);
};

describe('the group commit, when a commit throws', () => {
  it('decrements the pending count once for a refused puff when another user of its group has a fault', async () => {
    const commit = withFaults();
    const calls = [start(commit, '1 refused', 'puff'), start(commit, '2 admission throws', 'puff')];
    const results = await Promise.allSettled(calls);
    expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(commit.depth()).toBe(0);
    await commit.drainAll();
  });

  it('does not run a task that failed with the fault of another user', async () => {
    const commit = withFaults();
    let isHeld = false;
    let runs = 0;
    let release = () => {};
    const held = commit.runExclusive('1 none', () => {
      isHeld = true;
      return new Promise<void>((resolve) => (release = resolve));
    });
    const second = commit.runExclusive('1 none', () => Promise.resolve((runs += 1)));
    const fault = start(commit, '2 admission throws', 'puff');
    await expect(fault).rejects.toMatchObject({ code: 'overloaded' });
    await expect(second).rejects.toMatchObject({ code: 'overloaded' });
    expect(isHeld).toBe(true);
    release();
    await held.catch(() => undefined);
    await commit.drainAll();
    expect([runs, commit.depth()]).toEqual([0, 0]);
  });

  it('settles every call, and ends with an empty queue, for every mix of faults', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.record({
            person: fc.tuple(fc.constantFrom(1, 2, 3), fc.constantFrom(...faults)),
            kind: fc.constantFrom<Kind>('puff', 'batch', 'task', 'drain'),
          }),
          { minLength: 1, maxLength: 12 },
        ),
        async (plan) => {
          const commit = withFaults();
          const calls = plan.map(({ person, kind }) => start(commit, person.join(' '), kind));
          await Promise.allSettled(calls);
          await commit.drainAll();
          expect(commit.depth()).toBe(0);
          // It still works for a person without a fault.
          await expect(commit.append('9 none', [puffNumber(5)], 0)).resolves.toMatchObject({
            outcomes: [{ status: 'created' }],
          });
          expect(commit.depth()).toBe(0);
        },
      ),
      { numRuns: 200 },
    );
  });
});
