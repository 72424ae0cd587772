import { Schema, type Connection } from 'mongoose';
import type { Clock } from '../clock.ts';
import { newId } from '../ids.ts';
import type { Logger } from '../telemetry/logger.ts';
import { collectionOf } from './collection.ts';
import { isDuplicateKey } from './errors.ts';

/**
 * One step forward of what the database holds. It may be killed anywhere and is then run again from its beginning, so
 * it looks for what is still to be done (`where the new field is missing`) and never assumes that nothing was. The
 * version before it still serves while it runs: it adds, and takes away only what that version does not use any more.
 */
export interface Migration {
  /** Four digits and what it does: `0003-user-locale`. Never changed once it has run anywhere. */
  readonly id: string;
  /** Throws where `signal` aborts: the lease is lost. */
  run(context: { connection: Connection; log: Logger; signal: AbortSignal }): Promise<void>;
}

interface MigrationDoc {
  _id: string;
  startedAt: Date;
  endedAt: Date | null;
}

/** Who migrates, until when by the database's clock. */
interface LeaseDoc {
  _id: string;
  owner: string | null;
  until: Date;
}

const migrationSchema = new Schema<MigrationDoc>({
  _id: { type: String, required: true },
  startedAt: Date,
  endedAt: Date,
});
const leaseSchema = new Schema<LeaseDoc>({
  _id: { type: String, required: true },
  owner: String,
  until: Date,
});

const leaseId = 'migrations';
const lookAgainMs = 100;

/**
 * Runs those of `migrations` that have not ended on this database yet, in their order, and then `indexes`, in one
 * process at a time: the others wait, however long it takes, and find nothing left to do. Answers what it ran.
 * Throws where one fails, with its name; nothing after it has run, and the next start begins with it.
 */
export const migrate = async (deps: {
  connection: Connection;
  clock: Clock;
  log: Logger;
  migrations: readonly Migration[];
  /** Idempotent: makes the collections and indexes that the stores declare. Each time, so that one dropped by hand is back. */
  indexes: () => Promise<void>;
  /** A process that was killed holds the others up for this long. */
  leaseMs?: number;
}): Promise<string[]> => {
  const { connection, clock, log, leaseMs = 15_000 } = deps;
  requireOrder(deps.migrations);
  const { collection: rows } = collectionOf(connection, 'migrations', migrationSchema);
  const { collection: leases } = collectionOf(connection, 'migrationlease', leaseSchema);
  const owner = newId();

  const take = async (): Promise<boolean> => {
    const { matchedCount } = await leases.updateOne(
      { _id: leaseId, $or: [{ owner }, { $expr: { $lte: ['$until', '$$NOW'] } }] },
      [{ $set: { owner, until: { $add: ['$$NOW', leaseMs] } } }],
    );
    return matchedCount === 1;
  };
  const renew = async (): Promise<boolean> => {
    const { matchedCount } = await leases.updateOne({ _id: leaseId, owner }, [
      { $set: { until: { $add: ['$$NOW', leaseMs] } } },
    ]);
    return matchedCount === 1;
  };

  await leases.insertOne({ _id: leaseId, owner: null, until: new Date(0) }).catch((error: unknown) => {
    if (!isDuplicateKey(error)) throw error;
  });
  for (let attempt = 0; !(await take()); attempt++) {
    if (attempt % 100 === 0)
      log.info({ event: 'migrations.waiting' }, 'waiting for the migrations of another process');
    await new Promise((resolve) => setTimeout(resolve, lookAgainMs));
  }

  const lost = new AbortController();
  const heartbeat = setInterval(() => {
    renew().then(
      (kept) => {
        if (!kept) lost.abort(new Error('another process has taken over the migrations'));
      },
      (error: unknown) => {
        log.warn({ event: 'migrations.renewal_failed', err: error }, 'migration lease renewal failed');
      },
    );
  }, leaseMs / 3).unref();
  try {
    const ended = await rows.find({ endedAt: { $ne: null } }, { projection: { _id: 1 } }).toArray();
    const done = new Set(ended.map(({ _id }) => _id));
    const ran: string[] = [];
    for (const migration of deps.migrations) {
      if (done.has(migration.id)) continue;
      const { id } = migration;
      await rows.updateOne(
        { _id: id },
        { $set: { startedAt: new Date(clock.now()), endedAt: null } },
        { upsert: true },
      );
      try {
        await migration.run({ connection, log, signal: lost.signal });
      } catch (cause) {
        throw failure(`Migration ${id} failed`, cause);
      }
      lost.signal.throwIfAborted();
      await rows.updateOne({ _id: id }, { $set: { endedAt: new Date(clock.now()) } });
      log.info({ event: 'migrations.done', migration: id }, 'migration completed');
      ran.push(id);
    }
    await deps.indexes().catch((cause: unknown) => {
      throw failure('The indexes could not be made', cause);
    });
    return ran;
  } finally {
    clearInterval(heartbeat);
    await leases.updateOne({ _id: leaseId, owner }, { $set: { owner: null, until: new Date(0) } });
  }
};

const failure = (what: string, cause: unknown): Error =>
  new Error(
    `${what}: ${cause instanceof Error ? cause.message : String(cause)}. ` +
      'Nothing after it has run; mend the cause and start again, which goes on from there.',
    { cause },
  );

const requireOrder = (migrations: readonly Migration[]) => {
  migrations.forEach(({ id }, index) => {
    if (!/^\d{4}-[a-z0-9-]+$/.test(id))
      throw new Error(`${id} is not the name of a migration (0001-what-it-does)`);
    const before = migrations[index - 1];
    if (before && before.id.slice(0, 4) >= id.slice(0, 4))
      throw new Error(`Migration ${id} stands after ${before.id}; the numbers have to rise`);
  });
};
