import type { ReportReason } from '@pufftrack/contract';
import { Schema, type ClientSession, type Connection } from 'mongoose';
import { collectionOf } from '../../../platform/mongo/collection.ts';
import { backgroundLimit } from '../../../platform/mongo/time-limits.ts';

/** `at` in ms. */
export interface Report {
  readonly reporter: string;
  readonly reported: string;
  readonly reason: ReportReason;
  readonly note: string | null;
  readonly at: number;
}

/** One row per pair: a repeated report replaces the earlier one. */
interface ReportDoc {
  /** `reported~reporter` */
  _id: string;
  reporter: string;
  reported: string;
  reason: ReportReason;
  note: string | null;
  at: Date;
  /** Waits for review by the operator. */
  open: boolean;
}

const reportSchema = new Schema<ReportDoc>({
  _id: { type: String, required: true },
  reporter: { type: String, required: true },
  reported: { type: String, required: true },
  reason: { type: String, required: true },
  note: { type: String, default: null },
  at: { type: Date, required: true },
  open: { type: Boolean, required: true },
});
reportSchema.index({ reported: 1, open: 1 });
reportSchema.index({ reporter: 1, at: 1 });
// Open reports by age.
reportSchema.index({ at: 1, _id: 1 }, { partialFilterExpression: { open: true } });
reportSchema.index({ open: 1, at: 1 });

export interface ReportStore {
  ensureIndexes(): Promise<void>;
  save(report: Report, tx: ClientSession): Promise<void>;
  /** When this user's reports since `since` (ms) were made, oldest first. */
  listMadeSince(reporter: string, since: number, tx: ClientSession): Promise<number[]>;
  /** The number of users with an open report of this one. */
  countOpen(reported: string, tx: ClientSession): Promise<number>;
  /** Open reports, oldest first. */
  listOpen(limit: number): Promise<Report[]>;
  /** Returns the number of reports that it closed. */
  closeAll(reported: string, tx: ClientSession): Promise<number>;
  /** Deletes reviewed reports from before `instant` (ms); returns their number. */
  removeReviewed(instant: number): Promise<number>;
  /** Deletes every report by or of this user; returns their number. */
  removeAll(userId: string): Promise<number>;
}

export const createReportStore = (connection: Connection): ReportStore => {
  const { collection: reports, ensureIndexes } = collectionOf(connection, 'userreports', reportSchema);
  return {
    ensureIndexes,
    async save({ reporter, reported, at, ...content }, tx) {
      await reports.updateOne(
        { _id: `${reported}~${reporter}` },
        { $set: { reporter, reported, ...content, at: new Date(at), open: true } },
        { upsert: true, session: tx },
      );
    },
    async listMadeSince(reporter, since, tx) {
      const docs = await reports
        .find({ reporter, at: { $gt: new Date(since) } }, { sort: { at: 1 }, session: tx })
        .toArray();
      return docs.map(({ at }) => at.getTime());
    },
    countOpen: (reported, tx) => reports.countDocuments({ reported, open: true }, { session: tx }),
    async listOpen(limit) {
      const docs = await reports.find({ open: true }, { sort: { at: 1, _id: 1 }, limit }).toArray();
      return docs.map(({ reporter, reported, reason, note, at }) => ({
        reporter,
        reported,
        reason,
        note,
        at: at.getTime(),
      }));
    },
    async closeAll(reported, tx) {
      const { modifiedCount } = await reports.updateMany(
        { reported, open: true },
        { $set: { open: false } },
        { session: tx },
      );
      return modifiedCount;
    },
    async removeReviewed(instant) {
      const reviewed = { open: false, at: { $lt: new Date(instant) } };
      return (await reports.deleteMany(reviewed, backgroundLimit)).deletedCount;
    },
    async removeAll(userId) {
      const { deletedCount: byUser } = await reports.deleteMany({ reporter: userId });
      const { deletedCount: ofUser } = await reports.deleteMany({ reported: userId });
      return byUser + ofUser;
    },
  };
};
