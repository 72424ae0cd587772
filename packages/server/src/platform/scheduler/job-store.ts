import type { WithoutId } from 'mongodb';
import { Schema, type Connection } from 'mongoose';
import { dayMs } from '../../domain/durations.ts';
import { newId } from '../ids.ts';
import { collectionOf } from '../mongo/collection.ts';
import { isDuplicateKey } from '../mongo/errors.ts';
import type { Figures } from './job.ts';
import type { Window } from './schedule.ts';

/** A window under way, or left behind by a process that was killed. */
interface CurrentRun {
  from: Date;
  to: Date;
  attempts: number;
  startedAt: Date;
  progress: unknown;
}

/** One row for each job: who runs it, until when, and how far it has come. */
interface JobDoc {
  _id: string;
  /** Every window up to here is done. */
  doneUntil: Date | null;
  current: CurrentRun | null;
  owner: string | null;
  /** By the database's clock, so that workers whose clocks differ agree. */
  leaseUntil: Date;
  /** Failures since the last success. */
  failures: number;
  version: number;
}

/** One row for each run that ended; kept for 90 days. */
interface JobRunDoc {
  _id: string;
  job: string;
  from: Date;
  to: Date;
  byHand: boolean;
  outcome: 'done' | 'failed';
  attempts: number;
  startedAt: Date;
  finishedAt: Date;
  figures?: Figures;
  error?: string;
}

const jobSchema = new Schema<JobDoc>({
  _id: { type: String, required: true },
  doneUntil: { type: Date, default: null },
  current: { type: Schema.Types.Mixed, default: null },
  owner: { type: String, default: null },
  leaseUntil: { type: Date, required: true },
  failures: { type: Number, required: true },
  version: { type: Number, required: true },
});

const jobRunSchema = new Schema<JobRunDoc>({
  _id: { type: String, required: true },
  job: { type: String, required: true },
  from: { type: Date, required: true },
  to: { type: Date, required: true },
  byHand: { type: Boolean, required: true },
  outcome: { type: String, enum: ['done', 'failed'], required: true },
  attempts: { type: Number, required: true },
  startedAt: { type: Date, required: true },
  finishedAt: { type: Date, required: true },
  figures: { type: Schema.Types.Mixed },
  error: { type: String },
});
jobRunSchema.index({ job: 1, finishedAt: -1 });

const retentionMs = 90 * dayMs;

/** The right to run a job's window, until the lease runs out. */
export interface Claim extends Window {
  readonly job: string;
  /** Of this one claim, so that a process which lost a job and took it again does not keep the first run alive. */
  readonly owner: string;
  readonly attempts: number;
  /** ms */
  readonly startedAt: number;
  readonly progress: unknown;
}

/** The result of a run. Instants in ms. */
export interface JobRunResult extends Window {
  readonly job: string;
  readonly attempts: number;
  readonly byHand: boolean;
  readonly startedAt: number;
  readonly finishedAt: number;
  readonly outcome: 'done' | 'failed';
  readonly figures?: Figures;
  readonly error?: string;
}

export interface JobState {
  readonly doneUntil: number | undefined;
  readonly running: boolean;
  readonly failures: number;
  readonly lastRun: JobRunResult | undefined;
}

export interface JobStore {
  ensureIndexes(): Promise<void>;
  /**
   * Claims a job: the unfinished window, or else the window that `due` returns for the end of the last one.
   * Undefined when another worker holds it; `doneUntil` when nothing is due.
   */
  claim(
    job: string,
    claim: {
      owner: string;
      leaseMs: number;
      now: number;
      due: (doneUntil: number | undefined) => Window | undefined;
    },
  ): Promise<Claim | { doneUntil: number | undefined } | undefined>;
  /** Renews the lease, and stores the progress if given; false when another worker holds the job. */
  renew(claim: Claim, leaseMs: number, progress?: { readonly value: unknown }): Promise<boolean>;
  /** Releases the job as it stands; any worker may claim it after `waitMs`. */
  release(claim: Claim, waitMs: number, failed: boolean): Promise<void>;
  /** The window is done. */
  complete(claim: Claim): Promise<void>;
  record(ended: JobRunResult): Promise<void>;
  state(job: string): Promise<JobState>;
}

export const createJobStore = (connection: Connection): JobStore => {
  const owned = [
    collectionOf(connection, 'jobs', jobSchema),
    collectionOf(connection, 'jobruns', jobRunSchema),
  ] as const;
  const [{ collection: jobs }, { collection: runs }] = owned;

  const held = ({ job, owner }: Claim) => ({ _id: job, owner });
  const untilIn = (ms: number) => ({ $add: ['$$NOW', ms] });

  const rowOf = async (job: string): Promise<JobDoc> => {
    const row = await jobs.findOne({ _id: job });
    if (row) return row;
    const first: WithoutId<JobDoc> = {
      doneUntil: null,
      current: null,
      owner: null,
      leaseUntil: new Date(0),
      failures: 0,
      version: 0,
    };
    await jobs.insertOne({ _id: job, ...first }).catch((error: unknown) => {
      if (!isDuplicateKey(error)) throw error;
    });
    return rowOf(job);
  };

  return {
    async ensureIndexes() {
      for (const each of owned) await each.ensureIndexes();
    },
    async claim(job, { owner, leaseMs, now, due }) {
      const row = await rowOf(job);
      const doneUntil = row.doneUntil?.getTime();
      const window = row.current ? undefined : due(doneUntil);
      if (!row.current && !window) return { doneUntil };
      const current: CurrentRun = row.current ?? {
        from: new Date(window?.from ?? 0),
        to: new Date(window?.to ?? 0),
        attempts: 0,
        startedAt: new Date(now),
        progress: null,
      };
      const attempts = current.attempts + 1;
      // `version` says that the row is still the one that was read; the database says whether the lease is over.
      const { modifiedCount } = await jobs.updateOne(
        { _id: job, version: row.version, $expr: { $lte: ['$leaseUntil', '$$NOW'] } },
        [
          {
            $set: {
              owner,
              leaseUntil: untilIn(leaseMs),
              current: { $literal: { ...current, attempts } },
              version: { $add: ['$version', 1] },
            },
          },
        ],
      );
      if (modifiedCount === 0) return undefined;
      return {
        job,
        owner,
        attempts,
        from: current.from.getTime(),
        to: current.to.getTime(),
        startedAt: current.startedAt.getTime(),
        progress: current.progress,
      };
    },
    async renew(claim, leaseMs, progress) {
      const { matchedCount } = await jobs.updateOne(held(claim), [
        {
          $set: {
            leaseUntil: untilIn(leaseMs),
            ...(progress && { 'current.progress': { $literal: progress.value } }),
          },
        },
      ]);
      return matchedCount === 1;
    },
    async release(claim, waitMs, failed) {
      await jobs.updateOne(held(claim), [
        {
          $set: {
            owner: null,
            leaseUntil: untilIn(waitMs),
            failures: { $add: ['$failures', failed ? 1 : 0] },
            version: { $add: ['$version', 1] },
          },
        },
      ]);
    },
    async complete(claim) {
      await jobs.updateOne(held(claim), {
        $set: {
          doneUntil: new Date(claim.to),
          current: null,
          owner: null,
          leaseUntil: new Date(0),
          failures: 0,
        },
        $inc: { version: 1 },
      });
    },
    async record(ended) {
      const { job, from, to, startedAt, finishedAt, ...rest } = ended;
      const kind = ended.byHand ? newId() : 'due';
      const fields = {
        job,
        from: new Date(from),
        to: new Date(to),
        startedAt: new Date(startedAt),
        finishedAt: new Date(finishedAt),
        ...rest,
      };
      // By name and window: a run that was recorded and not completed is recorded again, not twice.
      await runs.replaceOne({ _id: `${job}:${to}:${kind}` }, fields, { upsert: true });
      await runs.deleteMany({ job, finishedAt: { $lt: new Date(finishedAt - retentionMs) } });
    },
    async state(job) {
      const row = await jobs.findOne({ _id: job });
      const [last] = await runs.find({ job }, { sort: { finishedAt: -1 }, limit: 1 }).toArray();
      return {
        doneUntil: row?.doneUntil?.getTime(),
        running: row?.owner != null,
        failures: row?.failures ?? 0,
        lastRun: last && toResult(last),
      };
    },
  };
};

const toResult = ({ _id, from, to, startedAt, finishedAt, ...rest }: JobRunDoc): JobRunResult => ({
  ...rest,
  from: from.getTime(),
  to: to.getTime(),
  startedAt: startedAt.getTime(),
  finishedAt: finishedAt.getTime(),
});
