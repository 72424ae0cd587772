import { randomBytes } from 'node:crypto';
import { createLogger } from '../src/platform/logger.ts';
import { createRedisLink, type RedisLink } from '../src/platform/redis/redis-link.ts';

/** The Redis that the tests share; keys of the caller's own begin with the prefix. */
export const testRedisUrl = (): string => {
  const url = process.env['PUFFTRACK_TEST_REDIS_URL'];
  if (url === undefined) throw new Error('PUFFTRACK_TEST_REDIS_URL is not set; run the tests with npm test');
  return url;
};

export const testPrefix = (): string => `test_${randomBytes(6).toString('hex')}:`;

/** The link of one process, already connected where Redis is there. */
export const openTestRedis = async (options: { url?: string; prefix: string }): Promise<RedisLink> => {
  const link = createRedisLink({
    url: options.url ?? testRedisUrl(),
    prefix: options.prefix,
    log: createLogger({ level: 'silent' }),
  });
  await link.start(3_000);
  return link;
};

/** Resolves as soon as `isTrue`; throws after 10 s. */
export const until = async (what: string, isTrue: () => boolean | Promise<boolean>): Promise<void> => {
  const deadline = performance.now() + 10_000;
  while (!(await isTrue())) {
    if (performance.now() > deadline) throw new Error(`not within 10 s: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
};
