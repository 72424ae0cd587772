import type { GoalMode } from '@pufftrack/contract';
import { Schema, type ClientSession, type Connection } from 'mongoose';
import { collectionOf } from '../../../platform/mongo/collection.ts';
import { groupBy } from '../../../platform/group-by.ts';
import { wholeListBatchSize } from '../../../platform/mongo/batch.ts';
import type { DayNumber } from '../../../domain/local-day.ts';
import { rowsFrom } from '../days/rows-from.ts';
import type { EarlierGoals, HistoryChange, StoredGoal } from './goal-history.ts';
import type { TaperPlan } from './taper.ts';

/**
 * A goal as it was set. A row that decides nothing any more is removed (`compactGoals`) and the rows after it are
 * renumbered; nothing else changes. Days are numbers since 1970-01-01.
 */
interface GoalDoc {
  userId: string;
  /** The position in the history, from 1. */
  number: number;
  mode: GoalMode;
  dailyLimit: number | null;
  plan: TaperPlan | null;
  baselineDays: number | null;
  quitAt: Date | null;
  quitDay: number | null;
  setAt: Date;
  effectiveDay: number;
  before?: EarlierGoals;
}

/** The tail is longer only where a pending quit or plan was postponed. */
const usualTailRows = 4;

const planSchema = new Schema<TaperPlan>(
  {
    product: { type: String, required: true },
    unit: { type: String, required: true },
    baseline: { type: Number, required: true },
    baselineSource: { type: String, required: true },
    target: { type: Number, required: true },
    startDay: { type: Number, required: true },
    lengthDays: { type: Number, required: true },
    curve: { type: String, required: true },
  },
  { _id: false },
);

const goalSchema = new Schema<GoalDoc>({
  userId: { type: String, required: true, immutable: true },
  number: { type: Number, required: true, immutable: true },
  mode: { type: String, required: true, immutable: true },
  dailyLimit: { type: Number, default: null, immutable: true },
  plan: { type: planSchema, default: null, immutable: true },
  baselineDays: { type: Number, default: null, immutable: true },
  quitAt: { type: Date, default: null, immutable: true },
  quitDay: { type: Number, default: null, immutable: true },
  setAt: { type: Date, required: true, immutable: true },
  effectiveDay: { type: Number, required: true, immutable: true },
  before: {
    _id: false,
    limited: Boolean,
    baseline: { type: { _id: false, baseline: Number, days: Number }, default: null },
  },
});
goalSchema.index({ userId: 1, number: 1 }, { unique: true });

/** Histories of goals, each in the order in which the goals were set. */
export interface GoalStore {
  ensureIndexes(): Promise<void>;
  /**
   * The tail of a history that decides from `day` on: from the newest row in effect by `day` that has `before`, or the
   * whole history without one.
   */
  listFrom(userId: string, day: DayNumber, tx: ClientSession): Promise<StoredGoal[]>;
  /** The rows of each person from a number on, or all, in one query. People without rows are absent. */
  listMany(from: ReadonlyMap<string, number | undefined>): Promise<ReadonlyMap<string, StoredGoal[]>>;
  replaceFrom(userId: string, change: HistoryChange, tx: ClientSession): Promise<void>;
  /** Deletes all rows of this person and returns their number. */
  removeAll(userId: string): Promise<number>;
}

export const createGoalStore = (connection: Connection): GoalStore => {
  const { collection: goals, ensureIndexes } = collectionOf(connection, 'goals', goalSchema);
  return {
    ensureIndexes,
    async listFrom(userId, day, tx) {
      const rows: StoredGoal[] = [];
      const newestFirst = goals.find(
        { userId },
        { sort: { number: -1 }, session: tx, batchSize: usualTailRows },
      );
      for await (const doc of newestFirst) {
        rows.push(toGoal(doc));
        if (doc.effectiveDay <= day && doc.before !== undefined) break;
      }
      return rows.reverse();
    },
    async listMany(from) {
      const docs = await goals
        .find(rowsFrom('number', from), { sort: { userId: 1, number: 1 }, batchSize: wholeListBatchSize })
        .toArray();
      return groupBy(docs, ({ userId }) => userId, toGoal);
    },
    async replaceFrom(userId, { from, rows }, tx) {
      await goals.deleteMany({ userId, number: { $gte: from } }, { session: tx });
      if (rows.length === 0) return;
      await goals.insertMany(
        rows.map(({ setAt, quitAt, ...goal }) => ({
          userId,
          ...goal,
          quitAt: quitAt === null ? null : new Date(quitAt),
          setAt: new Date(setAt),
        })),
        { session: tx },
      );
    },
    async removeAll(userId) {
      const { deletedCount } = await goals.deleteMany({ userId });
      return deletedCount;
    },
  };
};

const toGoal = (doc: GoalDoc): StoredGoal => ({
  number: doc.number,
  mode: doc.mode,
  dailyLimit: doc.dailyLimit,
  plan: doc.plan,
  baselineDays: doc.baselineDays,
  quitAt: doc.quitAt?.getTime() ?? null,
  quitDay: doc.quitDay,
  setAt: doc.setAt.getTime(),
  effectiveDay: doc.effectiveDay,
  ...(doc.before && { before: doc.before }),
});
