import type { EndpointName } from '@pufftrack/contract';
import { friend, friendId, objectId, userId } from './examples.ts';
import type { OperationTexts } from './operation-text.ts';

export const friendOperations = {
  requestFriend: {
    description:
      'The answer is the same for a valid, unknown, own or blocked code and for a repeated request. Requests that cross become a friendship. At most 20 requests a day and 20 open ones, otherwise 429. The recipient receives `friendRequest`. Requires `friends-sharing`.',
    request: { friendCode: '7K3M9Q2XZA', shareLevel: 'summary' },
    answers: { 202: 'The request is accepted for processing; nothing more is disclosed.' },
    response: { 202: { status: 'sent' } },
  },
  listFriendRequests: {
    description:
      'A sent request is listed with the code as typed and without a name, until it is accepted, cancelled or 30 days old.',
    answers: { 200: 'Open requests in both directions.' },
    response: {
      200: {
        received: [
          { id: objectId, from: { userId: friendId, name: 'Bob' }, createdAt: '2026-10-20T18:00:00.000Z' },
        ],
        sent: [
          {
            id: objectId,
            friendCode: '7K3M9Q2XZA',
            createdAt: '2026-10-20T18:00:00.000Z',
            expiresAt: '2026-11-19T18:00:00.000Z',
          },
        ],
      },
    },
  },
  cancelFriendRequest: {
    description: 'The recipient receives no event. A request that the caller has not sent is 404.',
    answers: { 204: 'The request is cancelled.' },
  },
  acceptFriend: {
    description:
      'Only the recipient may accept; for every other caller the request is 404. The sender receives `friendAccepted`, both sides receive `friendUpdated`. `conflict`: the list of friends is full, or the two are friends already.',
    request: { requestId: objectId, shareLevel: 'summary' },
    answers: { 200: 'The new friend.' },
    response: { 200: { friend } },
  },
  rejectFriend: {
    description: 'The sender receives no event. Only the recipient may reject; others get 404.',
    request: { requestId: objectId },
    answers: { 204: 'The request is rejected.' },
  },
  listFriends: {
    description: 'A summary is present where the share level and the consent of the friend allow it.',
    answers: { 200: 'All friends.' },
    response: { 200: { friends: [friend] } },
  },
  getLeaderboard: {
    description:
      'Ranks the caller and friends by the last seven complete local days of each account. Using more never improves a rank. Equal values share a rank (1, 2, 2, 4). An entry without a rank has a `reason`. Only accounts with the consent `leaderboard` appear.',
    answers: { 200: 'The board; `entries` contains the caller too.' },
    response: {
      200: {
        board: 'reduction',
        period: { from: '2026-10-14', to: '2026-10-20' },
        entries: [
          { rank: 1, userId, name: 'Alice', value: 0.31 },
          { rank: null, userId: friendId, name: 'Bob', value: null, reason: 'no-baseline' },
        ],
        me: { rank: 1, userId, name: 'Alice', value: 0.31 },
      },
    },
  },
  patchFriend: {
    description:
      'In force in this process with the answer and everywhere within 5 s. The friend receives `friendUpdated` when the share level changes; a mute is not disclosed.',
    request: { shareLevel: 'live', muted: false },
    answers: { 200: 'The friend after the change.' },
    response: { 200: { friend } },
  },
  removeFriend: {
    description:
      'Ends the friendship for both. Open sockets of both receive `friendRemoved`; there is no notification.',
    answers: { 204: 'The friendship has ended.' },
  },
  createInvite: {
    description: 'Valid for 7 days and for one friendship. Requires `friends-sharing`.',
    answers: { 201: 'The invite. The token is not shown again.' },
    response: {
      201: {
        token: 'iv_8Jq2Lw5n',
        url: 'https://api.example.com/invite#iv_8Jq2Lw5n',
        expiresAt: '2026-10-28T10:00:00.000Z',
      },
    },
  },
  acceptInvite: {
    description:
      'Creates a friendship with the account that created the invite. A used, expired, own or unknown token is 404. Requires `friends-sharing`.',
    request: { token: 'iv_8Jq2Lw5n', shareLevel: 'summary' },
    answers: { 200: 'The new friend.' },
    response: { 200: { friend } },
  },
  blockPerson: {
    description:
      'Ends the friendship and open requests between the two accounts and hides each from the other. The blocked account sees the same as after a removal.',
    request: { userId: friendId },
    answers: { 204: 'The account is blocked.' },
  },
  listBlocks: {
    description: 'The name is the one that the account had when it was blocked.',
    answers: { 200: 'The blocked accounts.' },
    response: {
      200: { blocks: [{ userId: friendId, name: 'Bob', since: '2026-10-21T10:00:00.000Z' }] },
    },
  },
  unblockPerson: {
    description: 'A friendship that the block has ended stays ended.',
    answers: { 204: 'The block is lifted.' },
  },
  reportPerson: {
    description:
      'The operator reviews reports; the reported account receives no event. The answer is the same for an unknown account.',
    request: { userId: friendId, reason: 'name', note: 'The name is an insult.' },
    answers: { 202: 'The report is received.' },
    response: { 202: { status: 'received' } },
  },
} satisfies Partial<OperationTexts<EndpointName>>;
