import { setTimeout as wait } from 'node:timers/promises';
import type { Config } from '../config.ts';
import type { Clock } from '../platform/clock.ts';
import { connectMongo } from '../platform/mongo/connect.ts';
import { rotateSigningKeys } from '../services/auth/index.ts';
import { openDevelopmentDatabase } from './development.ts';

/** Rotates the signing key in the database that the configuration names, whether servers run on it or not. */
export const rotateKeys = async (
  config: Config,
  { clock, say }: { clock: Clock; say: (line: string) => void },
): Promise<void> => {
  const { mongoUri, masterKey, close } =
    config.mongoUri !== undefined && config.masterKey !== undefined
      ? { mongoUri: config.mongoUri, masterKey: config.masterKey, close: () => Promise.resolve() }
      : await openDevelopmentDatabase(config, say);
  try {
    const connection = await connectMongo(mongoUri);
    try {
      await rotateSigningKeys({ connection, clock, masterKey, say, wait: (ms) => wait(ms) });
    } finally {
      await connection.close();
    }
  } finally {
    await close();
  }
};
