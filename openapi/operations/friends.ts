import type { EndpointName } from '@pufftrack/contract';
import { friend, friendId, objectId, userId } from './examples.ts';
import type { OperationTexts } from './operation-text.ts';

export const friendOperations = {
  requestFriend: {
    description:
      'The answer is the same for a valid, unknown, own or blocked code and for a repeated request. Requests that cross become a friendship while both accounts have fewer than 200 friends. At most 20 requests in 24 h and 20 open ones, otherwise 429. The recipient receives `friendRequest`, or `friendAccepted` where a friendship is created at once. Requires `friends-sharing`.',
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
      'Only the recipient may accept; for every other caller, and after 30 days, the request is 404. To accept again, or after the two became friends in another way, returns the same friend. The sender receives `friendAccepted` and `friendUpdated`, the other devices of the caller receive `friendUpdated`. `conflict`: one of the two accounts has 200 friends. Requires `friends-sharing`.',
    request: { requestId: objectId, shareLevel: 'summary' },
    answers: { 200: 'The new friend.' },
    response: { 200: { friend } },
  },
  rejectFriend: {
    description:
      'The sender receives no event and still sees the request as open. For 30 days further requests of the sender are not delivered. Only the recipient may reject; others get 404.',
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
      'Ranks the caller and friends by the last seven complete local days of each account. Using more never improves a rank. Equal values share a rank (1, 2, 2, 4). An entry without a rank has a `reason`. The board lists the caller, and friends who share `summary` or more, have granted `leaderboard` and are not in ghost mode.',
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
      'In force in this process with the answer and everywhere within 5 s. The friend receives `friendUpdated` when the share level changes; a mute is not disclosed to the friend. The other devices of the caller receive `friendUpdated`.',
    request: { shareLevel: 'live', muted: false },
    answers: { 200: 'The friend after the change.' },
    response: { 200: { friend } },
  },
  removeFriend: {
    description:
      'Ends the friendship for both and deletes the cheers between the two. The devices of the friend and the other devices of the caller receive `friendRemoved`; there is no notification.',
    answers: { 204: 'The friendship has ended.' },
  },
  createInvite: {
    description:
      'Valid for 7 days and for one friendship. At most 20 invites in 24 h, otherwise 429. Requires `friends-sharing`.',
    answers: { 201: 'The invite. The token is not shown again.' },
    response: {
      201: {
        token: 'iv_8Jq2Lw5n',
        url: 'https://api.example.com/#invite=iv_8Jq2Lw5n',
        expiresAt: '2026-10-28T10:00:00.000Z',
      },
    },
  },
  acceptInvite: {
    description:
      'Creates a friendship with the account that created the invite. A used, expired, own or unknown token, or one of an account with a block between the two, is 404. To accept again returns the same friend; between friends an invite is not used up. `conflict`: one of the two accounts has 200 friends. Events are those of `PUT /friends/accept`. Requires `friends-sharing`.',
    request: { token: 'iv_8Jq2Lw5n', shareLevel: 'summary' },
    answers: { 200: 'The new friend.' },
    response: { 200: { friend } },
  },
  blockPerson: {
    description:
      'Ends the friendship and open requests between the two accounts and hides each from the other. The blocked account sees the same as after a removal: where the two were friends, its devices and the other devices of the caller receive `friendRemoved`. Idempotent. The own id is 422, an unknown one 404. `conflict`: 1,000 accounts are blocked.',
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
      'The operator reviews reports; the reported account receives no event. The answer is the same for an unknown account. At most 10 reports in 24 h, otherwise 429. Open reports of three different accounts hide the name until the review.',
    request: { userId: friendId, reason: 'name', note: 'The name is an insult.' },
    answers: { 202: 'The report is received.' },
    response: { 202: { status: 'received' } },
  },
} satisfies Partial<OperationTexts<EndpointName>>;
