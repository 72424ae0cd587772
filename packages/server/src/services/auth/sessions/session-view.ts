import type { SessionInfo } from '@pufftrack/contract';
import type { StoredSession } from './session.ts';

/** A session as its person sees it. */
export const viewSession = (
  { id, device, createdAt, lastUsedOn }: StoredSession,
  currentId: string,
): SessionInfo => ({
  id,
  device,
  createdAt: new Date(createdAt).toISOString(),
  lastUsedOn,
  current: id === currentId,
});
