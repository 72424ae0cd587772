import type { Connection } from 'mongoose';
import { replaceIndex } from '../../../platform/mongo/replace-index.ts';

/** Friends and requests are listed by time: indexes that have them in that order, for those that had to be sorted. */
export const orderFriendIndexes = async (connection: Connection): Promise<void> => {
  const [friends, requests] = ['friendconnections', 'friendrequests'];
  const changes = [
    { collection: friends, made: { people: 1, since: 1, _id: 1 }, dropped: 'people_1' },
    { collection: requests, made: { from: 1, createdAt: 1, _id: 1 }, dropped: 'from_1_createdAt_-1' },
    { collection: requests, made: { to: 1, state: 1, createdAt: 1, _id: 1 }, dropped: 'to_1_state_1' },
  ] as const;
  for (const change of changes) await replaceIndex(connection, change);
};
