import { tsImport } from 'tsx/esm/api';

// Started by jest-global-setup.mjs with a pipe as its stdin, which closes when the test run ends, however it ends: a
// crash of Jest runs no teardown, and a mongod that stays would hold whoever waits for the output of the run.
process.stdin.resume().once('close', async () => {
  const { endAbandonedMongos } = await tsImport('../local-services/src/index.ts', import.meta.url);
  await new Promise((resolve) => setTimeout(resolve, 500)); // servers of the run end by themselves first
  await endAbandonedMongos();
});
