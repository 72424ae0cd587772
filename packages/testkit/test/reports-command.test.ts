import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { rm } from 'node:fs/promises';
import { temporaryDataDir } from '@pufftrack/local-services';
import { createFriendship, spawnProgram, startTestApp, type Person, type TestApp } from '../src/index.ts';

describe('the operator command for reports', () => {
  let app: TestApp;
  let dataDir: string;

  beforeAll(async () => {
    app = await startTestApp();
    dataDir = await temporaryDataDir();
  });
  afterAll(async () => {
    await app.close();
    await rm(dataDir, { recursive: true, force: true });
  });

  const run = async (...args: string[]) => {
    const env = { DATA_DIR: dataDir, MONGODB_URI: app.mongoUri, LOG_LEVEL: 'error' };
    const { ended, output } = spawnProgram('packages/server/src/main.ts', env, ['reports', ...args]);
    return { code: await ended, output: output() };
  };
  const report = ({ client }: Person, userId: string) =>
    client.call('reportPerson', { body: { userId, reason: 'name', note: 'a slur' } });

  it('lists open reports, shows a hidden name again, and hides one', async () => {
    const [bad, friend, two, three] = await Promise.all(
      ['bad', 'friend', 'two', 'three'].map((name) => app.person(name)),
    );
    await createFriendship(bad!, friend!);
    for (const by of [friend!, two!, three!]) await report(by, bad!.userId);
    const nameAtFriend = async () => (await friend!.client.call('listFriends')).friends[0]?.name;
    expect(await nameAtFriend()).toBeNull();

    const listed = await run('list');
    expect(listed.code).toBe(0);
    expect(listed.output).toContain(`${bad!.userId} "Bad" (hidden), name by ${two!.userId}: "a slur"`);

    expect(await run('show-name', bad!.userId)).toMatchObject({
      code: 0,
      output: expect.stringContaining('The name is shown; 3 reports are closed.'),
    });
    expect(await nameAtFriend()).toBe('Bad');
    expect((await run('list')).output).toContain('No report waits.');
    // Closed reports no longer count.
    await report(two!, bad!.userId);
    expect(await nameAtFriend()).toBe('Bad');

    await run('hide-name', bad!.userId);
    expect(await nameAtFriend()).toBeNull();
    expect((await run('show-name', 'nobody')).code).toBe(1);
    expect((await run('show-name')).code).toBe(64);
  });
});
