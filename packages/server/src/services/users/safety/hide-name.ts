import type { ClientSession } from 'mongoose';

/** Takes a person's name out of what was told of them: everywhere, to one person, or of one friend request. */
export type HideName = (
  named: string,
  where?: { readonly inboxOf?: string; readonly requestId?: string },
  tx?: ClientSession,
) => Promise<void>;
