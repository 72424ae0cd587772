import type { MilestoneKind } from '@pufftrack/contract';
import type { ClientSession, Collection } from 'mongodb';
import { Schema, type Connection } from 'mongoose';
import { wholeBatch } from '../../../platform/mongo/batch.ts';
import { backgroundLimit } from '../../../platform/mongo/time-limits.ts';
import type { MilestoneState } from '../../analytics/index.ts';
import type { GivenMilestone } from './milestone.ts';

/** A milestone of a person. Days are numbers since 1970-01-01. */
interface MilestoneDoc {
  _id: string;
  userId: string;
  kind: MilestoneKind;
  days: number;
  version: number;
  from: number;
  to: number;
  isConfirmed: boolean;
  awardedAt: Date;
  /** Its days do not say so any more; absent while they do. */
  revokedAt?: Date;
}

/** What a person's milestones were judged by last. */
interface StateDoc extends JudgedState {
  _id: string;
}

export interface JudgedState extends MilestoneState {
  /** Moves with every change of what this person holds, so that nobody changes what they have not seen. */
  readonly turn: number;
}

const milestoneSchema = new Schema<MilestoneDoc>(
  {
    _id: { type: String, required: true },
    userId: { type: String, required: true },
    kind: { type: String, required: true },
    days: { type: Number, required: true },
    version: { type: Number, required: true },
    from: { type: Number, required: true },
    to: { type: Number, required: true },
    isConfirmed: { type: Boolean, required: true },
    awardedAt: { type: Date, required: true },
    revokedAt: Date,
  },
  { collection: 'milestones', versionKey: false },
);
milestoneSchema.index({ userId: 1, revokedAt: 1, awardedAt: 1 });
milestoneSchema.index({ revokedAt: 1 }, { sparse: true });

const stateSchema = new Schema<StateDoc>(
  {
    _id: { type: String, required: true },
    rev: { type: Number, required: true },
    settingsVersion: { type: Number, required: true },
    through: { type: Number, required: true },
    turn: { type: Number, required: true },
  },
  { collection: 'milestonestates', versionKey: false },
);

export interface MilestoneStore {
  ensureIndexes(): Promise<void>;
  /** One that holds. */
  find(id: string, tx: ClientSession): Promise<GivenMilestone | undefined>;
  /** Those of these people that hold, oldest first; `confirmedSince` (ms): of confirmed days, and given after it. */
  listHeld(
    userIds: readonly string[],
    options?: { confirmedSince?: number; tx?: ClientSession },
  ): Promise<GivenMilestone[]>;
  insert(milestones: readonly GivenMilestone[], tx: ClientSession): Promise<void>;
  revoke(ids: readonly string[], now: number, tx: ClientSession): Promise<void>;
  setConfirmed(ids: readonly string[], isConfirmed: boolean, tx: ClientSession): Promise<void>;
  states(userIds: readonly string[]): Promise<ReadonlyMap<string, JudgedState>>;
  /**
   * Notes what a person's milestones are judged by now; `turn` is that of the state before, 0 without one. False where
   * that is another one by now. Two transactions that do so for one person conflict here.
   */
  advance(userId: string, state: JudgedState, tx: ClientSession): Promise<boolean>;
  /** The same for people of whom nothing else changes, in two commands; whose turn is another one is passed over. */
  note(states: ReadonlyMap<string, JudgedState>): Promise<void>;
  removeRevokedBefore(instant: number): Promise<number>;
  /** Everything of this person; answers how many rows there were. */
  removeAll(userId: string): Promise<number>;
}

export const createMilestoneStore = (connection: Connection): MilestoneStore => {
  const model = connection.model('Milestone', milestoneSchema);
  const stateModel = connection.model('MilestoneState', stateSchema);
  const rows = model.collection as unknown as Collection<MilestoneDoc>;
  const states = stateModel.collection as unknown as Collection<StateDoc>;

  return {
    async ensureIndexes() {
      for (const owned of [model, stateModel]) {
        await owned.createCollection();
        await owned.createIndexes();
      }
    },
    async find(id, tx) {
      const doc = await rows.findOne({ _id: id }, { session: tx });
      return doc && !doc.revokedAt ? toMilestone(doc) : undefined;
    },
    async listHeld(userIds, { confirmedSince, tx } = {}) {
      const docs = await rows
        .find(
          {
            userId: { $in: [...userIds] },
            revokedAt: { $exists: false },
            ...(confirmedSince !== undefined && {
              awardedAt: { $gt: new Date(confirmedSince) },
              isConfirmed: true,
            }),
          },
          { batchSize: wholeBatch, ...(tx && { session: tx }) },
        )
        .toArray();
      return docs.map(toMilestone).sort((a, b) => a.awardedAt - b.awardedAt || a.days - b.days);
    },
    async insert(milestones, tx) {
      if (milestones.length === 0) return;
      await rows.insertMany(
        milestones.map(({ id, awardedAt, ...milestone }) => ({
          _id: id,
          ...milestone,
          awardedAt: new Date(awardedAt),
        })),
        { session: tx },
      );
    },
    async revoke(ids, now, tx) {
      if (ids.length === 0) return;
      await rows.updateMany(
        { _id: { $in: [...ids] } },
        { $set: { revokedAt: new Date(now) } },
        { session: tx },
      );
    },
    async setConfirmed(ids, isConfirmed, tx) {
      if (ids.length === 0) return;
      await rows.updateMany({ _id: { $in: [...ids] } }, { $set: { isConfirmed } }, { session: tx });
    },
    async states(userIds) {
      const docs = await states.find({ _id: { $in: [...userIds] } }, { batchSize: wholeBatch }).toArray();
      return new Map(docs.map(({ _id, ...state }) => [_id, state]));
    },
    async advance(userId, { turn, ...state }, tx) {
      const known = await states.findOne({ _id: userId }, { session: tx });
      if ((known?.turn ?? 0) !== turn) return false;
      await states.updateOne(
        { _id: userId },
        { $set: { ...state, turn: turn + 1 } },
        { upsert: true, session: tx },
      );
      return true;
    },
    async note(judged) {
      if (judged.size === 0) return;
      await states.bulkWrite(
        [...judged].map(([_id, { turn, ...state }]) => ({
          updateOne:
            turn === 0
              ? { filter: { _id }, update: { $setOnInsert: { ...state, turn: 1 } }, upsert: true }
              : { filter: { _id, turn }, update: { $set: { ...state, turn: turn + 1 } } },
        })),
        { ordered: false },
      );
    },
    async removeRevokedBefore(instant) {
      return (await rows.deleteMany({ revokedAt: { $lt: new Date(instant) } }, backgroundLimit)).deletedCount;
    },
    async removeAll(userId) {
      const { deletedCount } = await rows.deleteMany({ userId });
      return deletedCount + (await states.deleteOne({ _id: userId })).deletedCount;
    },
  };
};

const toMilestone = ({
  _id,
  awardedAt,
  revokedAt: _revokedAt,
  ...milestone
}: MilestoneDoc): GivenMilestone => ({
  ...milestone,
  id: _id,
  awardedAt: awardedAt.getTime(),
});
