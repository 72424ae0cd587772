import { describe, expect, it } from '@jest/globals';
import type { ShareLevel } from '@pufftrack/contract';
import { createFriendUpdates } from './friend-updates.ts';
import { newSide, type Friendship } from '../sharing/friendship.ts';

const friendship = (shareLevel: ShareLevel): Friendship => ({
  since: 0,
  sides: [newSide('ann', shareLevel, 0), newSide('ben', 'live', 0)],
});

/** What is sent to Ben's sockets where each read of the friendship finds the next of these. */
const sentWhere = async (...found: (Friendship | undefined)[]) => {
  const sent: unknown[] = [];
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
    updated: (to, { theirShareLevel }, exceptSession) => sent.push([to, theirShareLevel, exceptSession]),
  });
  await show('ben', 'ann', 'this phone');
  return sent;
};

describe('an update of a friend', () => {
  it('contains the current share level', async () => {
    expect(await sentWhere(friendship('live'))).toEqual([['ben', 'live', 'this phone']]);
  });

  it('is never older than a change that was made while it was built', async () => {
    expect(await sentWhere(friendship('live'), friendship('none'))).toEqual([['ben', 'none', 'this phone']]);
    expect(await sentWhere(friendship('live'), undefined)).toEqual([]);
    expect(await sentWhere(undefined)).toEqual([]);
  });
});
