import { z } from 'zod';
import { endpoint } from '../endpoint.ts';
import { FriendAnswer } from './friends.ts';
import { Instant, optional, ShareLevel, text } from '../values.ts';

export const createInvite = endpoint({
  method: 'POST',
  path: '/friends/invites',
  tag: 'friends',
  auth: 'user',
  summary: 'Create a link that makes one account a friend, once, within 7 days',
  responses: {
    201: z.object({
      token: z.string().meta({ description: 'Shown this once; only its hash is kept.' }),
      url: z.string().meta({ description: 'The token stands behind the #, so that no server log holds it.' }),
      expiresAt: Instant,
    }),
  },
  problems: ['consent-required'],
});

export const acceptInvite = endpoint({
  method: 'POST',
  path: '/friends/invites/accept',
  tag: 'friends',
  auth: 'user',
  addressRate: 'guess',
  summary: 'Become a friend of the account that created the invite',
  body: z.object({
    token: text(1, 200).meta({ description: 'The token of the invite.' }),
    shareLevel: optional(ShareLevel),
  }),
  responses: { 200: FriendAnswer },
  problems: ['conflict', 'consent-required', 'not-found'],
});
