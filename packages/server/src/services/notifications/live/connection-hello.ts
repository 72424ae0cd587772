import type { ServerEvent, ServerEventName } from '@pufftrack/contract';
import type { Actor } from '../../../platform/edge/actor.ts';
import type { InboxReplay } from '../inbox/inbox-replay.ts';
import type { SharingPolicy, StatsReader } from '../ports.ts';
import { friendChanges } from './friend-changes.ts';

export interface NewConnection {
  readonly actor: Actor;
  /** `lastSeq` of the handshake, unvalidated: the last number that the client has received. */
  readonly lastSeq: unknown;
  /** Runs when the socket has closed. */
  onClose(callback: () => void): void;
  emit<Name extends ServerEventName>(event: Name, payload: ServerEvent<Name>): void;
}

/** Sends `ready` to a new socket, then the persistent events that its client has missed. */
export const createConnectionHello =
  (deps: {
    inbox: InboxReplay;
    sharing: Pick<SharingPolicy, 'friendsOf' | 'joinAudiences'>;
    stats: StatsReader;
  }) =>
  async ({ actor: { userId }, lastSeq, onClose, emit }: NewConnection): Promise<void> => {
    const { inbox, sharing } = deps;
    const replay = await inbox.replayStart(userId, lastSeq);
    await sharing.joinAudiences(userId);
    const [stats, friends] = await Promise.all([deps.stats.current(userId), sharing.friendsOf(userId)]);
    emit('ready', { userId, seq: replay.head, stats, friends });
    // A change during the read was sent before `ready`, so the friends are read and compared once more.
    const changes = friendChanges(friends, await sharing.friendsOf(userId));
    for (const friendId of changes.removed) emit('friendRemoved', { friendId });
    for (const friend of changes.updated) emit('friendUpdated', { friend });
    if (replay.resync) emit('resyncRequired', { seq: replay.head });
    onClose(inbox.subscribe(userId, replay.after, emit));
  };
