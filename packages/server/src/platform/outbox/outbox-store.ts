import { Schema, type Connection } from 'mongoose';
import { collectionOf } from '../mongo/collection.ts';
import { backgroundLimit } from '../mongo/time-limits.ts';
import { isDuplicateKey } from '../mongo/errors.ts';
import type { OutboxJob, OutboxStore } from './outbox.ts';

/** Long enough to recognise a repeated id; the row names no one any more. */
const keepDoneMs = 7 * 24 * 60 * 60_000;

interface OutboxDoc<Payload> {
  _id: string;
  /** Null once it is done or given up. */
  payload: Payload | null;
  createdAt: Date;
  /** When it may be taken next; a lease moves it on. */
  dueAt: Date | null;
  attempts: number;
  doneAt: Date | null;
}

/** An outbox in a collection of its own, owned by the service that makes it. */
export const createOutboxStore = <Payload>(
  connection: Connection,
  collection: string,
): OutboxStore<Payload> => {
  const schema = new Schema<OutboxDoc<Payload>>({
    _id: { type: String, required: true },
    payload: Schema.Types.Mixed,
    createdAt: { type: Date, required: true },
    dueAt: Date,
    attempts: { type: Number, required: true },
    doneAt: Date,
  });
  schema.index({ dueAt: 1 });
  schema.index({ doneAt: 1 });
  const { collection: jobs, ensureIndexes } = collectionOf(connection, collection, schema);
  const thisAttempt = ({ id, attempt }: OutboxJob<Payload>) => ({ _id: id, attempts: attempt, doneAt: null });

  return {
    ensureIndexes,
    async add({ id, payload, now }, tx) {
      const at = new Date(now);
      const doc = { _id: id, payload, createdAt: at, dueAt: at, attempts: 0, doneAt: null };
      try {
        await jobs.insertOne(doc, tx ? { session: tx } : {});
        return true;
      } catch (error) {
        if (tx || !isDuplicateKey(error)) throw error;
        return false;
      }
    },
    async claim(now, leaseMs) {
      const doc = await jobs.findOneAndUpdate(
        { dueAt: { $lte: new Date(now) } },
        { $set: { dueAt: new Date(now + leaseMs) }, $inc: { attempts: 1 } },
        { sort: { dueAt: 1 }, returnDocument: 'after' },
      );
      if (doc?.payload == null) return undefined;
      const { _id, payload, createdAt, attempts } = doc;
      return {
        id: _id,
        payload,
        createdAt: createdAt.getTime(),
        attempt: attempts,
      };
    },
    async finish(job, now) {
      await jobs.updateOne(thisAttempt(job), { $set: { doneAt: new Date(now), payload: null, dueAt: null } });
    },
    async retryAt(job, dueAt) {
      await jobs.updateOne(thisAttempt(job), { $set: { dueAt: new Date(dueAt) } });
    },
    async listOpen(limit) {
      const docs = await jobs.find({ doneAt: null }, { projection: { payload: 1 }, limit }).toArray();
      return docs.flatMap(({ payload }) => (payload === null ? [] : [payload]));
    },
    async removeDueBefore(instant) {
      await jobs.deleteMany({ dueAt: { $lte: new Date(instant) } }, backgroundLimit);
    },
    async removeLongDone(now) {
      await jobs.deleteMany({ doneAt: { $lte: new Date(now - keepDoneMs) } }, backgroundLimit);
    },
  };
};
