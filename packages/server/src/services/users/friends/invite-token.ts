import { createHash } from 'node:crypto';
import { randomSecret } from '../../../platform/ids.ts';

/** 256 bits: nobody guesses one. */
const tokenBytes = 32;

export const newInviteToken = (): string => randomSecret(tokenBytes);

/** What is kept of a token, so that the database holds nothing that could be sent in its place. */
export const inviteIdOf = (token: string): string => createHash('sha256').update(token).digest('hex');
