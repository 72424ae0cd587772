import {
  BatchPuffInput,
  type BatchAnswer,
  type BatchResult,
  type Puff,
  type ParsedPuffInput,
  type PuffAnswer,
  type UserStats,
} from '@pufftrack/contract';
import type { Clock } from '../../platform/clock.ts';
import { DomainError } from '../../platform/edge/errors.ts';
import type { Actor } from '../../platform/edge/actor.ts';
import { issuesOf } from '../../platform/edge/problem.ts';
import { createKeyedMutex } from '../../platform/concurrency/keyed-mutex.ts';
import {
  liveWindowMs,
  newPuff,
  timeProblem,
  timeRejectionOf,
  type NewPuff,
  type RecordedPuff,
} from './domain/puff.ts';
import type { PuffLog } from './commit/puff-log.ts';
import type { PuffMetrics } from './log/puff-metrics.ts';
import { createWriterCheck } from './commit/admission.ts';
import type { ConsentPolicy, LiveEvents, PuffPerson, StatsReader, UserDirectory } from './ports.ts';
import type { PuffStore } from './log/puff-store.ts';
import { viewPuff } from './domain/puff-view.ts';

export interface PuffService {
  record(actor: Actor, input: ParsedPuffInput): Promise<PuffAnswer>;
  recordBatch(actor: Actor, items: readonly unknown[]): Promise<BatchAnswer>;
  /** Resolves when every puff of this person that was admitted before is stored or refused, in this process. Never rejects. */
  drain(userId: string): Promise<void>;
}

export const createPuffService = <Person extends PuffPerson>(deps: {
  puffLog: Pick<PuffLog, 'append' | 'history' | 'drain' | 'isAdmitted'>;
  store: Pick<PuffStore, 'find' | 'findUsedIds'>;
  clock: Clock;
  users: Pick<UserDirectory<Person>, 'settings'>;
  consents: ConsentPolicy<Person>;
  stats: StatsReader<Person>;
  liveEvents: Pick<LiveEvents<Person>, 'puffsRecorded'>;
  metrics: Pick<PuffMetrics, 'counted'>;
}): PuffService => {
  const { puffLog, store, clock, metrics } = deps;

  const requireWriter = createWriterCheck(deps);
  /** One batch of a person at a time: many at once would fill the queue that all people share. */
  const runExclusive = createKeyedMutex(clock);

  /** A used id stays used, whatever the body contains now. */
  const answerDuplicate = async (person: Person, id: string): Promise<PuffAnswer> => {
    metrics.counted('duplicate');
    // `history` first: it applies pending changes to the puff's record.
    const history = await puffLog.history(person.userId);
    const stored = await store.find(person.userId, id);
    const content = stored && stored.firstRev > history.clearedRev ? stored.content : undefined;
    return {
      status: 'duplicate',
      puff: content?.deletedAt === null ? viewPuff(content.puff, person.dayStartHour) : null,
      stats: await deps.stats.statsOf(person, history),
    };
  };

  const announce = (
    person: Person,
    actor: Actor,
    created: readonly RecordedPuff[],
    stats: UserStats,
    puff?: Puff,
  ) => {
    if (created.length === 0) return;
    const publish = (isAdmitted: boolean) => {
      const shown = isAdmitted ? created : [];
      const liveCount = shown
        .filter((recorded) => recorded.receivedAt - recorded.timestamp <= liveWindowMs)
        .reduce((sum, recorded) => sum + recorded.quantity, 0);
      deps.liveEvents.puffsRecorded({ person, stats, sessionId: actor.sessionId, liveCount, puff });
    };
    // A consent may have been withdrawn since the write, here or at another process: friends receive nothing after that.
    const isAdmitted = puffLog.isAdmitted(person.userId);
    if (isAdmitted instanceof Promise) void isAdmitted.then(publish);
    else publish(isAdmitted);
  };

  const countResults = (results: readonly BatchResult[]) => {
    const counts = { created: 0, duplicate: 0, rejected: 0 };
    for (const { status } of results) counts[status] += 1;
    for (const status of ['created', 'duplicate', 'rejected'] as const)
      metrics.counted(status, counts[status]);
  };

  return {
    // Batches queue before the log does: earlier batches are answered first. A mutex wait that is refused
    // for its length ends after them too.
    drain: (userId) =>
      runExclusive(userId, () => Promise.resolve())
        .catch(() => undefined)
        .then(() => puffLog.drain(userId)),

    async record(actor, input) {
      const person = await requireWriter(actor.userId);
      const now = clock.now();
      const rejection =
        input.timestamp === undefined ? undefined : timeRejectionOf(Date.parse(input.timestamp), now);
      if (rejection) {
        if (input.id !== undefined && (await store.find(person.userId, input.id)))
          return answerDuplicate(person, input.id);
        metrics.counted('rejected');
        throw timeProblem(rejection, now);
      }
      const puff = newPuff(input, person, now, actor.sessionId);
      const { outcomes, state } = await puffLog.append(person.userId, [puff], person.dayStartHour);
      const outcome = outcomes[0];
      if (outcome?.status === 'created') {
        metrics.counted('created');
        const stats = await deps.stats.statsOf(person, state);
        const view = viewPuff(outcome.puff, person.dayStartHour);
        announce(person, actor, [outcome.puff], stats, view);
        return { status: 'created', puff: view, stats };
      }
      if (outcome?.status === 'duplicate') return answerDuplicate(person, puff.id);
      metrics.counted('rejected');
      throw new DomainError('day-full', { detail: 'Daily maximum of 5,000 reached for this local day.' });
    },

    async recordBatch(actor, items) {
      const person = await requireWriter(actor.userId);
      const now = clock.now();
      const results: BatchResult[] = [];
      const puffs: { puff: NewPuff; position: number }[] = [];
      const rejected: { id: string; position: number; result: BatchResult }[] = [];
      items.forEach((item, position) => {
        const parsed = BatchPuffInput.safeParse(item);
        if (!parsed.success) {
          results[position] = {
            id: sentId(item),
            status: 'rejected',
            code: 'invalid',
            errors: issuesOf(parsed.error),
          };
          return;
        }
        const { id, timestamp } = parsed.data;
        const code = timeRejectionOf(Date.parse(timestamp), now);
        if (code) {
          const serverTime = new Date(now).toISOString();
          rejected.push({ id, position, result: { id, status: 'rejected', code, serverTime } });
        } else {
          puffs.push({ puff: newPuff(parsed.data, person, now, actor.sessionId), position });
        }
      });

      if (rejected.length > 0) {
        const used = await store.findUsedIds(
          person.userId,
          rejected.map(({ id }) => id),
        );
        for (const { id, position, result } of rejected)
          results[position] = used.has(id) ? { id, status: 'duplicate' } : result;
      }
      if (puffs.length === 0) {
        countResults(results);
        return { results, stats: await deps.stats.statsOf(person, await puffLog.history(person.userId)) };
      }

      const { outcomes, state } = await runExclusive(person.userId, () =>
        puffLog.append(
          person.userId,
          puffs.map(({ puff }) => puff),
          person.dayStartHour,
        ),
      );
      const created: RecordedPuff[] = [];
      puffs.forEach(({ puff, position }, index) => {
        const outcome = outcomes[index];
        if (outcome?.status === 'created') created.push(outcome.puff);
        results[position] =
          outcome?.status === 'created' || outcome?.status === 'duplicate'
            ? { id: puff.id, status: outcome.status }
            : { id: puff.id, status: 'rejected', code: 'day-full' };
      });
      countResults(results);
      const stats = await deps.stats.statsOf(person, state);
      announce(person, actor, created, stats);
      return { results, stats };
    },
  };
};

/** The id of an item that did not parse, where one can be read. */
const sentId = (item: unknown): string | null => {
  const id = BatchPuffInput.shape.id.safeParse((item as { id?: unknown } | null)?.id);
  return id.success ? id.data : null;
};
