import { randomBytes } from 'node:crypto';
import { patienceMs } from '@pufftrack/testkit/eventually';
import { createLogger } from '../src/platform/telemetry/logger.ts';
import { createRedisLink, type RedisLink } from '../src/platform/bus/redis-link.ts';

/** The Redis that the tests share; keys of the caller's own begin with the prefix. */
export const testRedisUrl = (): string => {
  const url = process.env['PUFFTRACK_TEST_REDIS_URL'];
  if (url === undefined) throw new Error('PUFFTRACK_TEST_REDIS_URL is not set; run the tests with npm test');
  return url;
};

export const testPrefix = (): string => `test_${randomBytes(6).toString('hex')}:`;

/** The link of one process, already connected where Redis is there. */
export const openTestRedis = async (options: {
  url?: string;
  prefix: string;
  /** Where there may be none; long enough for a Redis that is there, unless told. */
  startWithinMs?: number;
}): Promise<RedisLink> => {
  const link = createRedisLink({
    url: options.url ?? testRedisUrl(),
    prefix: options.prefix,
    log: createLogger({ level: 'silent' }),
  });
  await link.start(options.startWithinMs ?? patienceMs);
  return link;
};
