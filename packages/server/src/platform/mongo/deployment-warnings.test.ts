import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { openTestDatabase, type TestDatabase } from '../../../test/database.ts';
import type { Logger } from '../telemetry/logger.ts';
import { adminCommands, warnOfWeakDeployment, type AdminCommand } from './deployment-warnings.ts';

const recorder = () => {
  const lines: [level: string, event: unknown][] = [];
  const at = (level: string) => (fields: { event?: unknown }) => lines.push([level, fields.event]);
  return { lines, log: { warn: at('warn'), debug: at('debug') } as unknown as Logger };
};
const majority = { defaultWriteConcern: { w: 'majority', wtimeout: 0 } };
const refused = Object.assign(new Error('not authorized on admin'), { code: 13 });

/** A deployment that answers so. */
const deployment =
  (hello: object | Error, defaults: object | Error): AdminCommand =>
  (command) => {
    const answer = 'hello' in command ? hello : defaults;
    return answer instanceof Error ? Promise.reject(answer) : Promise.resolve({ ...answer });
  };

describe('a deployment on which an acknowledged write is less safe than it looks', () => {
  it.each<[string, AdminCommand, [string, string][]]>([
    ['three data members', deployment({ hosts: ['a', 'b', 'c'] }, majority), []],
    ['a sharded cluster', deployment({ msg: 'isdbgrid' }, majority), []],
    [
      'an arbiter and its implicit default',
      deployment({ hosts: ['a', 'b'], arbiters: ['c'] }, {}),
      [
        ['warn', 'mongo.arbiter'],
        ['warn', 'mongo.default_write_concern'],
      ],
    ],
    [
      'a default of 1',
      deployment({}, { defaultWriteConcern: { w: 1 } }),
      [['warn', 'mongo.default_write_concern']],
    ],
    [
      'a user who may ask nothing',
      deployment(refused, refused),
      [
        ['debug', 'mongo.deployment_unknown'],
        ['debug', 'mongo.deployment_unknown'],
      ],
    ],
    [
      'a user who may not ask for the default, with an arbiter',
      deployment({ arbiters: ['c'] }, refused),
      [
        ['warn', 'mongo.arbiter'],
        ['debug', 'mongo.deployment_unknown'],
      ],
    ],
  ])('%s', async (_what, run, expected) => {
    const { lines, log } = recorder();
    await warnOfWeakDeployment(run, log);
    expect(lines).toEqual(expected);
  });

  describe('on a real server', () => {
    let database: TestDatabase;
    beforeAll(async () => {
      database = await openTestDatabase();
    });
    afterAll(() => database.drop());

    it('is not the embedded one', async () => {
      const { lines, log } = recorder();
      await warnOfWeakDeployment(adminCommands(database.connection), log);
      expect(lines).toEqual([]);
    });
  });
});
