import { text } from 'node:stream/consumers';
import { localServices } from './test-programs.mjs';

// Started by jest-global-setup.mjs with a pipe as its stdin, which closes when the test run ends, however it ends: a
// crash of Jest runs no teardown, and a server that stays would hold whoever waits for the output of the run. The pipe
// names the Redis of the run; a mongod is found by its data directory.
const { endAbandonedMongos, endRedis } = await import(localServices);
const servers = (await text(process.stdin))
  .split('\n')
  .filter(Boolean)
  .map((line) => JSON.parse(line));
await new Promise((resolve) => setTimeout(resolve, 500)); // servers of the run end by themselves first
for (const redis of servers) await endRedis(redis);
await endAbandonedMongos();
