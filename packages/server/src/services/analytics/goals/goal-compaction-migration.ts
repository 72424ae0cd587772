import type { Connection } from 'mongoose';
import { dayMs } from '../../../domain/durations.ts';
import { inTransaction } from '../../../platform/mongo/transaction.ts';
import { scanLimit } from '../../../platform/mongo/time-limits.ts';
import { compactGoals, earlierGoals, frozenBaseline, type Goal } from './goal-history.ts';

/** The most days between the UTC day of an instant and any later today of the user. */
const zoneDays = 6;

type GoalRow = Omit<Goal, 'setAt'> & {
  readonly _id: unknown;
  readonly userId: string;
  readonly number: number;
  readonly setAt: Date;
};

/**
 * Histories of an older release hold every change. Removes the rows that decide nothing any more, renumbers the others and
 * stores what came before them (`Goal.before`). Throws when `signal` aborts.
 */
export const compactGoalHistories = async (connection: Connection, signal: AbortSignal): Promise<void> => {
  const goals = connection.collection<GoalRow>('goals');
  const people = goals.aggregate<{ _id: string }>(
    [
      { $sort: { userId: 1, number: 1 } },
      { $group: { _id: '$userId', rows: { $sum: 1 } } },
      { $match: { rows: { $gt: 1 } } },
    ],
    scanLimit,
  );
  for await (const { _id: userId } of people) {
    signal.throwIfAborted();
    const rows = await goals.find({ userId }).sort({ number: 1 }).toArray();
    const compacted = compactRows(rows);
    const isContiguous = rows.at(-1)?.number === rows.length;
    if (compacted.length === rows.length && isContiguous) continue;
    // `before` is stored first: after a crash the next run finds in it what removed rows have decided.
    await goals.bulkWrite(
      compacted.map(({ _id, before }) => ({
        updateOne: { filter: { _id: _id as never }, update: { $set: { before: before as never } } },
      })),
    );
    const left = new Set(compacted.map(({ _id }) => _id));
    const removed = rows.filter(({ _id }) => !left.has(_id)).map(({ _id }) => _id);
    for (let at = 0; at < removed.length; at += pageSize)
      await goals.deleteMany({ _id: { $in: removed.slice(at, at + pageSize) } });
    await inTransaction(connection, async (session) => {
      await goals.deleteMany({ _id: { $in: [...left] } as never }, { session });
      await goals.insertMany(
        compacted.map((row) => row as never),
        { session },
      );
    });
  }
};

const pageSize = 1_000;

const compactRows = (rows: readonly GoalRow[]): GoalRow[] => {
  const goals = rows.map((row) => ({ ...row, setAt: row.setAt.getTime(), row }));
  const lastSetAt = goals.at(-1)?.setAt ?? 0;
  const frozen = goals.findIndex((goal) => frozenBaseline([goal]) !== undefined);
  const frozenGoal = goals[frozen];
  const baseline = (frozenGoal && frozenBaseline([frozenGoal])) ?? null;
  const kept = compactGoals(goals, Math.floor(lastSetAt / dayMs) - zoneDays);
  let limited = false;
  return kept.map(({ row, effectiveDay }, index) => {
    const previous = kept[index - 1];
    limited ||=
      row.before?.limited === true ||
      (previous !== undefined && earlierGoals([previous], effectiveDay).limited);
    const isAfterFrozen = frozenGoal !== undefined && row.number > frozenGoal.number;
    const frozenBefore = row.before?.baseline ?? (isAfterFrozen ? baseline : null);
    return { ...row, number: index + 1, before: { limited, baseline: frozenBefore } };
  });
};
