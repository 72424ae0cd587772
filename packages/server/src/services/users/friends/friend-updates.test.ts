import { describe, expect, it } from '@jest/globals';
import type { ShareLevel } from '@pufftrack/contract';
import { createFriendUpdates } from './friend-updates.ts';
import { newSide, type Friendship } from './friendship.ts';

const friendship = (shareLevel: ShareLevel): Friendship => ({
  since: 0,
  sides: [newSide('ann', shareLevel, 0), newSide('ben', 'live', 0)],
});

/** What Ben's phones are told where each look at the friendship finds the next of these. */
const toldWhere = async (...found: (Friendship | undefined)[]) => {
  const told: unknown[] = [];
  const show = createFriendUpdates({
    connections: { find: () => Promise.resolve(found.length > 1 ? found.shift() : found[0]) },
    view: ({ sides: [ann] }) =>
      Promise.resolve({
        userId: ann.person,
        name: null,
        since: '1970-01-01T00:00:00.000Z',
        shareLevel: 'live',
        theirShareLevel: ann.shareLevel,
        muted: false,
        summary: null,
      }),
    updated: (to, { theirShareLevel }, exceptSession) => told.push([to, theirShareLevel, exceptSession]),
  });
  await show('ben', 'ann', 'this phone');
  return told;
};

describe('news of a friend', () => {
  it('say how the two stand', async () => {
    expect(await toldWhere(friendship('live'))).toEqual([['ben', 'live', 'this phone']]);
  });

  it('say nothing that has been taken back while they were made', async () => {
    expect(await toldWhere(friendship('live'), friendship('none'))).toEqual([['ben', 'none', 'this phone']]);
    expect(await toldWhere(friendship('live'), undefined)).toEqual([]);
    expect(await toldWhere(undefined)).toEqual([]);
  });
});
