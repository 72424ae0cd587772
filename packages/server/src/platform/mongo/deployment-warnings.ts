import type { Connection } from 'mongoose';
import type { Logger } from '../telemetry/logger.ts';

/** Runs admin commands; rejects where the deployment does not answer one. */
export type AdminCommand = (command: object) => Promise<Readonly<Record<string, unknown>>>;

export const adminCommands =
  (connection: Connection): AdminCommand =>
  async (command) => {
    if (!connection.db) throw new Error('not connected');
    return connection.db.admin().command({ ...command });
  };

/**
 * Warns of a deployment on which an acknowledged write is less safe than it looks (REL-1). This program names
 * `w: majority` in each write; other writers, such as mongosh or a restore, get the default. A user without the privilege
 * to ask costs a debug line.
 */
export const warnOfWeakDeployment = async (run: AdminCommand, log: Logger): Promise<void> => {
  const ask = async (command: object, judge: (answer: Readonly<Record<string, unknown>>) => void) => {
    try {
      judge(await run(command));
    } catch (error) {
      log.debug(
        { event: 'mongo.deployment_unknown', command, err: error },
        'MongoDB deployment check skipped: command failed',
      );
    }
  };
  await ask({ hello: 1 }, ({ arbiters }) => {
    if (Array.isArray(arbiters) && arbiters.length > 0)
      log.warn(
        { event: 'mongo.arbiter', arbiters: arbiters.length },
        'replica set has an arbiter: with one data member down no write is acknowledged; use data members only',
      );
  });
  await ask({ getDefaultRWConcern: 1 }, ({ defaultWriteConcern }) => {
    const w = (defaultWriteConcern as { w?: unknown } | undefined)?.w ?? 1;
    if (w !== 'majority')
      log.warn(
        { event: 'mongo.default_write_concern', w },
        'default write concern is not majority: set it with setDefaultRWConcern, or writes of other tools can be lost',
      );
  });
};
