import {
  BatchPuffInput,
  type BatchAnswer,
  type BatchResult,
  type Puff,
  type PuffAnswer,
  type PuffInput,
  type Purpose,
  type UserStats,
} from '@pufftrack/contract';
import type { Clock } from '../../platform/clock.ts';
import { DomainError } from '../../platform/errors.ts';
import type { Actor } from '../../platform/http/route.ts';
import { issuesOf } from '../../platform/http/problem.ts';
import {
  liveWindowMs,
  newPuff,
  timeProblem,
  timeRejectionOf,
  type NewPuff,
  type RecordedPuff,
} from './puff.ts';
import type { PuffLog } from './puff-log.ts';
import type { PuffHistory } from './puff-history.ts';
import type { PuffCursor, PuffStore } from './puff-store.ts';
import { viewPuff } from './puff-view.ts';

/** What this service needs to know of a person; users gives it. */
export interface PuffPerson {
  readonly userId: string;
  readonly name: string | null;
  readonly timeZone: string;
  readonly dayStartHour: number;
  readonly product: 'vape' | 'cigarette';
}

/** What happened, for whoever shows it live. */
export interface PuffsRecorded<Person extends PuffPerson> {
  readonly person: Person;
  readonly stats: UserStats;
  readonly sessionId: string;
  /** Quantity of the new puffs that happened just now; 0: friends are told nothing. */
  readonly liveCount: number;
  /** The puff, where it came alone. */
  readonly puff: Puff | undefined;
}

export interface PuffService {
  record(actor: Actor, input: PuffInput): Promise<PuffAnswer>;
  recordBatch(actor: Actor, items: readonly unknown[]): Promise<BatchAnswer>;
  list(actor: Actor, query: PuffQuery): Promise<{ puffs: Puff[]; nextCursor: string | null }>;
}

export interface PuffQuery {
  from?: string | undefined;
  to?: string | undefined;
  cursor?: string | undefined;
  limit: number;
}

/** Consents without which nothing about a person's puffs is written. */
const gate: readonly Purpose[] = ['terms', 'health-processing'];

export const createPuffService = <Person extends PuffPerson>(deps: {
  log: PuffLog;
  store: PuffStore;
  clock: Clock;
  person: (userId: string) => Person | Promise<Person>;
  requireConsents: (person: Person, purposes: readonly Purpose[]) => void;
  /** At once where it can; it stands on the path of every puff. */
  statsOf: (person: Person, history: PuffHistory) => UserStats | Promise<UserStats>;
  onRecorded: (recorded: PuffsRecorded<Person>) => void;
}): PuffService => {
  const { log, store, clock, statsOf } = deps;

  const writer = async (actor: Actor): Promise<Person> => {
    const person = await deps.person(actor.userId);
    deps.requireConsents(person, gate);
    return person;
  };

  /** An id once sent stays used, whatever stands in the body now. */
  const answerDuplicate = async (person: Person, stored: RecordedPuff | undefined): Promise<PuffAnswer> => ({
    status: 'duplicate',
    puff: stored ? viewPuff(stored, person.dayStartHour) : null,
    stats: await statsOf(person, await log.history(person.userId)),
  });

  const announce = (
    person: Person,
    actor: Actor,
    created: readonly RecordedPuff[],
    stats: UserStats,
    puff?: Puff,
  ) => {
    if (created.length === 0) return;
    const liveCount = created
      .filter((recorded) => recorded.receivedAt - recorded.timestamp <= liveWindowMs)
      .reduce((sum, recorded) => sum + recorded.quantity, 0);
    deps.onRecorded({ person, stats, sessionId: actor.sessionId, liveCount, puff });
  };

  return {
    async record(actor, input) {
      const person = await writer(actor);
      const now = clock.now();
      const rejection =
        input.timestamp === undefined ? undefined : timeRejectionOf(Date.parse(input.timestamp), now);
      if (rejection) {
        const stored = input.id === undefined ? undefined : await store.find(person.userId, input.id);
        if (stored) return answerDuplicate(person, stored);
        throw timeProblem(rejection, now);
      }
      const puff = newPuff(input, person, now, actor.sessionId);
      const { outcomes, state } = await log.append(person.userId, [puff], person.dayStartHour);
      const outcome = outcomes[0];
      if (outcome?.status === 'created') {
        const stats = await statsOf(person, state);
        const view = viewPuff(outcome.puff, person.dayStartHour);
        announce(person, actor, [outcome.puff], stats, view);
        return { status: 'created', puff: view, stats };
      }
      if (outcome?.status === 'duplicate')
        return answerDuplicate(person, await store.find(person.userId, puff.id));
      throw new DomainError('day-full', { detail: 'This local day has its 5,000 already.' });
    },

    async recordBatch(actor, items) {
      const person = await writer(actor);
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
      if (puffs.length === 0)
        return { results, stats: await statsOf(person, await log.history(person.userId)) };

      const { outcomes, state } = await log.append(
        person.userId,
        puffs.map(({ puff }) => puff),
        person.dayStartHour,
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
      const stats = await statsOf(person, state);
      announce(person, actor, created, stats);
      return { results, stats };
    },

    async list(actor, { from, to, cursor, limit }) {
      const person = await deps.person(actor.userId);
      const puffs = await store.list(person.userId, {
        ...(from !== undefined && { from: Date.parse(from) }),
        ...(to !== undefined && { to: Date.parse(to) }),
        ...(cursor !== undefined && { before: readCursor(cursor) }),
        limit: limit + 1,
      });
      const page = puffs.slice(0, limit);
      const last = page.at(-1);
      return {
        puffs: page.map((puff) => viewPuff(puff, person.dayStartHour)),
        nextCursor: puffs.length > limit && last ? writeCursor(last) : null,
      };
    },
  };
};

/** The id of an item that did not parse, where one can be read. */
const sentId = (item: unknown): string | null => {
  const id = BatchPuffInput.shape.id.safeParse((item as { id?: unknown } | null)?.id);
  return id.success ? id.data : null;
};

const writeCursor = ({ timestamp, rev }: PuffCursor): string =>
  Buffer.from(`${timestamp}.${rev}`).toString('base64url');

const readCursor = (cursor: string): PuffCursor => {
  const match = /^(-?\d{1,16})\.(\d{1,16})$/.exec(Buffer.from(cursor, 'base64url').toString('latin1'));
  if (!match?.[1] || !match[2] || Buffer.from(match[0]).toString('base64url') !== cursor)
    throw new DomainError('invalid-cursor', { detail: 'The cursor is not one that this call has given.' });
  return { timestamp: Number(match[1]), rev: Number(match[2]) };
};
