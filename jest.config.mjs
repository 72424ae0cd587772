import { fastTests, splitTests } from './scripts/test-selection.mjs';

const selection = process.env.PUFFTRACK_TESTS;
const isFast = selection === 'fast';

/** One project for all packages; native ESM; `.ts` import extensions, so no moduleNameMapper. */
export default {
  testEnvironment: 'node',
  roots: ['<rootDir>/packages'],
  testMatch: isFast ? fastTests() : selection === 'split' ? splitTests() : ['**/*.test.ts'],
  testPathIgnorePatterns: process.env.LONG ? ['/node_modules/'] : ['/node_modules/', '\\.long\\.test\\.ts$'],
  extensionsToTreatAsEsm: ['.ts'],
  testEnvironmentOptions: { customExportConditions: ['@pufftrack/source', 'node', 'node-addons'] },
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      {
        swcrc: false,
        jsc: { target: 'es2022', parser: { syntax: 'typescript' } },
        module: { type: 'es6' },
        sourceMaps: 'inline',
      },
    ],
  },
  ...(!isFast && {
    globalSetup: '<rootDir>/packages/testkit/jest-global-setup.mjs',
    globalTeardown: '<rootDir>/packages/testkit/jest-global-teardown.mjs',
  }),
  // Ends what hangs, and is no requirement; longer than what a test waits for (packages/testkit/src/eventually.ts).
  testTimeout: 180_000,
  // Most files wait for servers and databases more than they compute.
  maxWorkers: 2,
  // Modules of files that have run are not given free: without it a worker ends with 2.5 GB, and collects them again
  // and again.
  workerIdleMemoryLimit: '1GB',
};
