import { createHash } from 'node:crypto';
import type { Puff, PuffChange } from '@pufftrack/contract';
import { DomainError } from '../../platform/edge/errors.ts';
import type { Actor } from '../../platform/edge/actor.ts';
import type { PuffLog } from './commit/puff-log.ts';
import type { PuffPerson, UserDirectory } from './ports.ts';
import type { FeedEntry, PuffCursor, PuffStore } from './log/puff-store.ts';
import { viewPuff } from './domain/puff-view.ts';

export interface PuffQuery {
  from?: string | undefined;
  to?: string | undefined;
  cursor?: string | undefined;
  limit: number;
}

/** Reads of records. Each first brings the fold up to date, so that every change is applied to its record. */
export interface PuffReadService {
  list(actor: Actor, query: PuffQuery): Promise<{ puffs: Puff[]; nextCursor: string | null }>;
  /** A live puff as it is now; undefined where it is not there, or not any more. */
  findLive(userId: string, id: string): Promise<Puff | undefined>;
  /** Throws `resync-required` for a revision that this log has not reached. */
  changes(
    actor: Actor,
    query: { since: number; limit: number },
  ): Promise<{ changes: PuffChange[]; revision: number; hasMore: boolean }>;
}

export const createPuffReadService = (deps: {
  puffLog: PuffLog;
  store: PuffStore;
  users: Pick<UserDirectory<PuffPerson>, 'settings'>;
}): PuffReadService => {
  const { puffLog, store } = deps;
  return {
    async list(actor, { from, to, cursor, limit }) {
      const { userId, dayStartHour } = await deps.users.settings(actor.userId);
      const { clearedRev } = await puffLog.history(userId);
      const found = await store.list(userId, {
        ...(from !== undefined && { from: Date.parse(from) }),
        ...(to !== undefined && { to: Date.parse(to) }),
        ...(cursor !== undefined && { before: readCursor(userId, cursor) }),
        clearedRev,
        limit: limit + 1,
      });
      const page = found.slice(0, limit);
      const last = page.at(-1);
      return {
        puffs: page.map(({ puff }) => viewPuff(puff, dayStartHour)),
        nextCursor: found.length > limit && last ? writeCursor(userId, last.cursor) : null,
      };
    },

    async findLive(userId, id) {
      const { dayStartHour } = await deps.users.settings(userId);
      // `history` first: it applies pending changes to the puff's record.
      const { clearedRev } = await puffLog.history(userId);
      const stored = await store.find(userId, id);
      const content = stored && stored.firstRev > clearedRev ? stored.content : undefined;
      return content?.deletedAt === null ? viewPuff(content.puff, dayStartHour) : undefined;
    },

    async changes(actor, { since, limit }) {
      const { userId, dayStartHour } = await deps.users.settings(actor.userId);
      const { rev, clearedRev } = await puffLog.history(userId);
      if (since > rev)
        throw new DomainError('resync-required', {
          detail: `This log is at revision ${rev}. Discard the local copy and request the changes since 0.`,
        });
      const logged = (await store.readFeedAfter(userId, since, limit)).filter((each) => each.rev <= rev);
      return {
        changes: logged.flatMap((each) => viewChange(each, clearedRev, dayStartHour)),
        revision: logged.at(-1)?.rev ?? since,
        hasMore: (logged.at(-1)?.rev ?? rev) < rev,
      };
    },
  };
};

/** The feed items of one number: each puff at its latest number only, and nothing that a deletion of all hides. */
const viewChange = (logged: FeedEntry, clearedRev: number, dayStartHour: number): PuffChange[] => {
  const { rev } = logged;
  if (logged.kind === 'clear') return [{ clearedRevision: rev, revision: rev }];
  if (!('puff' in logged) || !logged.puff || rev < clearedRev) return [];
  const { id, latestRev, content } = logged.puff;
  if (latestRev !== rev) return [];
  return [
    content?.deletedAt === null
      ? { puff: viewPuff(content.puff, dayStartHour) }
      : { deletedId: id, revision: rev },
  ];
};

/** Good for the lists of one person alone. */
const markOf = (userId: string): string =>
  createHash('sha256').update(userId).digest('base64url').slice(0, 8);

const writeCursor = (userId: string, { timestamp, rev }: PuffCursor): string =>
  Buffer.from(`${timestamp}.${rev}.${markOf(userId)}`).toString('base64url');

const readCursor = (userId: string, cursor: string): PuffCursor => {
  const text = Buffer.from(cursor, 'base64url').toString('latin1');
  const [, timestamp, rev, mark] = /^(-?\d{1,16})\.(\d{1,16})\.([\w-]{8})$/.exec(text) ?? [];
  const isOwn = mark === markOf(userId) && Buffer.from(text, 'latin1').toString('base64url') === cursor;
  if (timestamp === undefined || rev === undefined || !isOwn)
    throw new DomainError('invalid-cursor', {
      detail: 'The cursor was not issued by this call for this account.',
    });
  return { timestamp: Number(timestamp), rev: Number(rev) };
};
