import { randomBytes } from 'node:crypto';
import { startAppleSimulator, type AppleSimulator } from '@pufftrack/apple-simulator';
import { startTemporaryMongo, temporaryDataDir, type LocalMongo } from '@pufftrack/local-services';
import { productionNodeOptions } from './built.ts';
import { clientId } from './people.ts';

/** What every benchmark stands on. Its data lies on a disk: the write to it is a part of what is measured. */
export interface BenchWorld {
  readonly mongo: LocalMongo;
  readonly apple: AppleSimulator;
  /** Of every server of the benchmark. */
  readonly env: Readonly<Record<string, string>>;
  close(): Promise<void>;
}

export const openWorld = async (print: (line: string) => void): Promise<BenchWorld> => {
  const mongo = await startTemporaryMongo({ log: print });
  const apple = await startAppleSimulator({ now: () => Date.now() });
  return {
    mongo,
    apple,
    env: {
      MONGODB_URI: mongo.uri,
      MASTER_KEY: randomBytes(32).toString('base64'),
      PUBLIC_URL: 'http://bench.test',
      PORT: '0',
      APPLE_BASE_URL: apple.baseUrl,
      APPLE_CLIENT_IDS: clientId,
      DATA_DIR: await temporaryDataDir(),
      NODE_OPTIONS: productionNodeOptions(),
      // People call as fast as they can; the limits are counted all the same.
      RATE_LIMIT_SCALE: '100000',
    },
    async close() {
      await apple.close();
      await mongo.stop();
    },
  };
};
