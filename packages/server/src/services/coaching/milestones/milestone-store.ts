import type { MilestoneKind } from '@pufftrack/contract';
import type { ClientSession } from 'mongodb';
import { Schema, type Connection } from 'mongoose';
import { collectionOf } from '../../../platform/mongo/collection.ts';
import { wholeListBatchSize } from '../../../platform/mongo/batch.ts';
import { backgroundLimit } from '../../../platform/mongo/time-limits.ts';
import type { EvaluationState } from './milestone-evaluation.ts';
import type { AwardedMilestone } from './milestone.ts';

/** Days are numbers since 1970-01-01. */
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
  /** When its days stopped supporting it; absent while they do. */
  revokedAt?: Date;
}

/** What a user's milestones were evaluated by last. */
interface StateDoc extends EvaluationState {
  _id: string;
  /** The version of `StoredEvaluationState`. */
  turn: number;
}

export interface StoredEvaluationState extends EvaluationState {
  /** Increases with every change of the user's milestones, so that a change based on an older read is rejected. */
  readonly version: number;
}

const milestoneSchema = new Schema<MilestoneDoc>({
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
});
milestoneSchema.index({ userId: 1, revokedAt: 1, awardedAt: 1 });
milestoneSchema.index({ revokedAt: 1 }, { sparse: true });

const stateSchema = new Schema<StateDoc>({
  _id: { type: String, required: true },
  rev: { type: Number, required: true },
  settingsVersion: { type: Number, required: true },
  through: { type: Number, required: true },
  turn: { type: Number, required: true },
});

export interface MilestoneStore {
  ensureIndexes(): Promise<void>;
  /** Undefined for a revoked one too. */
  find(id: string, tx: ClientSession): Promise<AwardedMilestone | undefined>;
  /** Those of these users that are not revoked, oldest first; `confirmedSince` (ms): confirmed and awarded after it. */
  listAwarded(
    userIds: readonly string[],
    options?: { confirmedSince?: number; tx?: ClientSession },
  ): Promise<AwardedMilestone[]>;
  insert(milestones: readonly AwardedMilestone[], tx: ClientSession): Promise<void>;
  revoke(ids: readonly string[], now: number, tx: ClientSession): Promise<void>;
  setConfirmed(ids: readonly string[], isConfirmed: boolean, tx: ClientSession): Promise<void>;
  states(userIds: readonly string[]): Promise<ReadonlyMap<string, StoredEvaluationState>>;
  /**
   * Saves a state and increases its version. `version` is that of the state before, 0 without one; false if it is
   * outdated. Two transactions that advance one user conflict.
   */
  advance(userId: string, state: StoredEvaluationState, tx: ClientSession): Promise<boolean>;
  /** The same for users of whom nothing else changes, in one command; an outdated version is skipped. */
  saveStates(states: ReadonlyMap<string, StoredEvaluationState>): Promise<void>;
  removeRevokedBefore(instant: number): Promise<number>;
  /** Removes everything of this user; answers the number of rows. */
  removeAll(userId: string): Promise<number>;
}

export const createMilestoneStore = (connection: Connection): MilestoneStore => {
  const { collection: rows, ensureIndexes: ensureRows } = collectionOf(
    connection,
    'milestones',
    milestoneSchema,
  );
  const { collection: states, ensureIndexes: ensureStates } = collectionOf(
    connection,
    'milestonestates',
    stateSchema,
  );

  return {
    async ensureIndexes() {
      await ensureRows();
      await ensureStates();
    },
    async find(id, tx) {
      const doc = await rows.findOne({ _id: id }, { session: tx });
      return doc && !doc.revokedAt ? toMilestone(doc) : undefined;
    },
    async listAwarded(userIds, { confirmedSince, tx } = {}) {
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
          { batchSize: wholeListBatchSize, ...(tx && { session: tx }) },
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
      const docs = await states
        .find({ _id: { $in: [...userIds] } }, { batchSize: wholeListBatchSize })
        .toArray();
      return new Map(docs.map(({ _id, turn, ...state }) => [_id, { ...state, version: turn }]));
    },
    async advance(userId, { version, ...state }, tx) {
      const known = await states.findOne({ _id: userId }, { session: tx });
      if ((known?.turn ?? 0) !== version) return false;
      await states.updateOne(
        { _id: userId },
        { $set: { ...state, turn: version + 1 } },
        { upsert: true, session: tx },
      );
      return true;
    },
    async saveStates(evaluated) {
      if (evaluated.size === 0) return;
      await states.bulkWrite(
        [...evaluated].map(([_id, { version, ...state }]) => ({
          updateOne:
            version === 0
              ? { filter: { _id }, update: { $setOnInsert: { ...state, turn: 1 } }, upsert: true }
              : { filter: { _id, turn: version }, update: { $set: { ...state, turn: version + 1 } } },
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
}: MilestoneDoc): AwardedMilestone => ({
  ...milestone,
  id: _id,
  awardedAt: awardedAt.getTime(),
});
