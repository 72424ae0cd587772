import type { GoalMode } from '@pufftrack/contract';
import { Schema, trusted, type ClientSession, type Connection } from 'mongoose';
import { wholeBatch } from '../../platform/mongo/batch.ts';
import type { Goal } from './goal.ts';
import type { TaperPlan } from './taper.ts';

/** A goal as it was set; rows are added and never changed. Days are numbers since 1970-01-01. */
interface GoalDoc {
  userId: string;
  /** The place in the person's history, from 1. */
  number: number;
  mode: GoalMode;
  dailyLimit: number | null;
  plan: TaperPlan | null;
  baselineDays: number | null;
  quitAt: Date | null;
  quitDay: number | null;
  setAt: Date;
  effectiveDay: number;
}

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

const goalSchema = new Schema<GoalDoc>(
  {
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
  },
  { collection: 'goals', versionKey: false },
);
goalSchema.index({ userId: 1, number: 1 }, { unique: true });

/** Goals of people, each history in the order of setting. */
export interface GoalStore {
  ensureIndexes(): Promise<void>;
  list(userId: string, tx: ClientSession): Promise<Goal[]>;
  /** In one query; people without goals are left out. */
  listMany(userIds: readonly string[]): Promise<ReadonlyMap<string, Goal[]>>;
  /** `number` is the length of the history so far, plus one. */
  append(userId: string, number: number, goal: Goal, tx: ClientSession): Promise<void>;
  /** Everything of this person; answers how many rows there were. */
  removeAll(userId: string): Promise<number>;
}

export const createGoalStore = (connection: Connection): GoalStore => {
  const model = connection.model('Goal', goalSchema);
  return {
    async ensureIndexes() {
      await model.createCollection();
      await model.createIndexes();
    },
    async list(userId, tx) {
      const docs = await model.find({ userId }).sort({ number: 1 }).session(tx).lean<GoalDoc[]>();
      return docs.map(toGoal);
    },
    async listMany(userIds) {
      const docs = await model
        .find({ userId: trusted({ $in: [...userIds] }) })
        .sort({ userId: 1, number: 1 })
        .batchSize(wholeBatch)
        .lean<GoalDoc[]>();
      const goals = new Map<string, Goal[]>();
      for (const doc of docs) goals.set(doc.userId, [...(goals.get(doc.userId) ?? []), toGoal(doc)]);
      return goals;
    },
    async append(userId, number, { setAt, quitAt, ...goal }, tx) {
      const doc: GoalDoc = {
        userId,
        number,
        ...goal,
        quitAt: quitAt === null ? null : new Date(quitAt),
        setAt: new Date(setAt),
      };
      await model.insertMany([doc], { session: tx });
    },
    async removeAll(userId) {
      const { deletedCount } = await model.deleteMany({ userId });
      return deletedCount;
    },
  };
};

const toGoal = (doc: GoalDoc): Goal => ({
  mode: doc.mode,
  dailyLimit: doc.dailyLimit,
  plan: doc.plan,
  baselineDays: doc.baselineDays,
  quitAt: doc.quitAt?.getTime() ?? null,
  quitDay: doc.quitDay,
  setAt: doc.setAt.getTime(),
  effectiveDay: doc.effectiveDay,
});
