import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

const root = resolve(import.meta.dirname, '../../..');
const src = 'packages/server/src';

/** One import for each rule that it must refuse: [rule, importing file, imported file]. */
const violations: [rule: string, from: string, to: string][] = [
  ['no-circle', `${src}/platform/circle-a.ts`, `${src}/platform/circle-b.ts`],
  ['no-circle', `${src}/platform/types-a.ts`, `${src}/platform/types-b.ts`],
  ['resolvable', `${src}/platform/two.ts`, `${src}/platform/nowhere.ts`],
  ['contract-on-zod-only', 'packages/contract/src/three.ts', 'node_modules/express/index.js'],
  ['domain-knows-only-the-contract', `${src}/domain/fifteen.ts`, `${src}/platform/one.ts`],
  ['domain-knows-only-the-contract', `${src}/domain/sixteen.ts`, 'node_modules/mongoose/index.js'],
  ['config-knows-no-app', `${src}/config.ts`, `${src}/app/app.ts`],
  ['platform-knows-no-service', `${src}/platform/four.ts`, `${src}/services/puffs/index.ts`],
  ['services-know-no-app', `${src}/services/puffs/five.ts`, `${src}/app/app.ts`],
  ['services-by-their-index', `${src}/services/users/six.ts`, `${src}/services/puffs/puff-service.ts`],
  ['app-by-the-index', `${src}/app/seven.ts`, `${src}/services/puffs/puff-service.ts`],
  ['service-knows-no-edge', `${src}/services/puffs/eight.ts`, `${src}/services/puffs/puff-routes.ts`],
  ['service-knows-no-edge', `${src}/services/puffs/nine.ts`, 'node_modules/express/index.js'],
  ['store-knows-no-use-case', `${src}/services/puffs/ten-store.ts`, `${src}/services/puffs/puff-service.ts`],
  [
    'documents-stay-in-stores',
    `${src}/services/puffs/eleven-routes.ts`,
    `${src}/services/puffs/puff-store.ts`,
  ],
  ['documents-stay-in-stores', `${src}/services/puffs/twelve-view.ts`, 'node_modules/mongoose/index.js'],
  ['no-development-in-production', `${src}/app/thirteen.ts`, 'packages/local-services/src/index.ts'],
  ['client-on-contract-only', 'packages/client/src/fourteen.ts', `${src}/platform/one.ts`],
];

/** Of each service: a room that imports one above it. */
const upward: [service: string, room: string, above: string][] = [
  ['puffs', 'domain', 'log'],
  ['puffs', 'log', 'state'],
  ['puffs', 'state', 'commit'],
  ['puffs', 'commit', 'maintenance'],
  ['analytics', 'days', 'goals'],
  ['analytics', 'goals', 'streaks'],
  ['analytics', 'streaks', 'stats'],
  ['analytics', 'stats', 'read-model'],
  ['analytics', 'boards', 'read-model'],
  ['analytics', 'platform-metrics', 'stats'],
  ['notifications', 'preferences', 'inbox'],
  ['notifications', 'inbox', 'push'],
  ['notifications', 'live', 'push'],
  ['notifications', 'push/apns', 'push'],
  ['coaching', 'milestones', 'cheers'],
  ['users', 'consents', 'accounts'],
  ['users', 'accounts', 'sharing'],
  ['users', 'sharing', 'friends'],
  ['users', 'friends', 'safety'],
  ['users', 'safety', 'privacy'],
  ['auth', 'keys', 'sessions'],
  ['auth', 'sessions', 'apple'],
  ['auth', 'apple', 'sign-in'],
];
for (const [service, room, above] of upward)
  violations.push([
    `room-${service}-${room.replace('/', '-')}`,
    `${src}/services/${service}/${room}/upward.ts`,
    `${src}/services/${service}/${above}/upper.ts`,
  ]);
violations.push(
  ['room-puffs-log', `${src}/services/puffs/log/root.ts`, `${src}/services/puffs/puff-service.ts`],
  ['every-room-has-a-rule', `${src}/services/puffs/new-room/file.ts`, `${src}/services/puffs/ports.ts`],
);

const relativeTo = (from: string, to: string) =>
  to.startsWith('node_modules/')
    ? (to.split('/')[1] ?? '')
    : `${'../'.repeat(from.split('/').length - 1)}${to}`;

describe('the import rules', () => {
  let fixture: string;
  let found: Set<string>;

  beforeAll(async () => {
    fixture = await mkdtemp(join(tmpdir(), 'import-rules-'));
    const write = async (path: string, text: string) => {
      await mkdir(dirname(join(fixture, path)), { recursive: true });
      await writeFile(join(fixture, path), text, { flag: 'a' });
    };
    await write(
      'tsconfig.json',
      '{"compilerOptions":{"module":"NodeNext","allowImportingTsExtensions":true}}',
    );
    for (const [, from, to] of violations) {
      await write(
        from,
        `${from.includes('/types-') ? 'import type {} from' : 'import'} '${relativeTo(from, to)}';\n`,
      );
      if (!to.endsWith('nowhere.ts')) await write(to, 'export {};\n');
    }
    for (const [, one, again] of violations.slice(0, 2))
      await write(again, `import type {} from '${relativeTo(again, one)}';\n`);
    for (const name of ['express', 'mongoose'])
      await write(`node_modules/${name}/package.json`, `{"name":"${name}","main":"index.js"}`);

    const cruise = promisify(execFile)(
      join(root, 'node_modules/.bin/depcruise'),
      ['--config', join(root, '.dependency-cruiser.cjs'), '--output-type', 'json', 'packages'],
      { cwd: fixture, maxBuffer: 32 * 1024 * 1024 },
    );
    const report = JSON.parse((await cruise).stdout) as {
      summary: { violations: { rule: { name: string }; from: string }[] };
    };
    found = new Set(report.summary.violations.map(({ rule, from }) => `${rule.name} ${from}`));
  });

  afterAll(() => rm(fixture, { recursive: true, force: true }));

  it.each(violations)('%s refuses what %s imports', (rule, from) => {
    expect([...found]).toContain(`${rule} ${from}`);
  });
});
