import { randomUUID } from 'node:crypto';
import type { MintIdentityToken } from './identity-token.ts';

export interface NotificationRequest {
  /** As Apple's page names them, and `account-delete`, which the field has seen. */
  type:
    | 'consent-revoked'
    | 'account-delete'
    | 'account-deleted'
    | 'email-disabled'
    | 'email-enabled'
    | (string & {});
  /** Whom it is about. */
  sub: string;
  /** The app: `aud`. */
  clientId: string;
  /** ms; default: now. */
  at?: number | undefined;
  jti?: string | undefined;
  /** Apple sends JSON in a string; objects and lists have been seen. */
  form?: 'string' | 'object' | 'array' | undefined;
}

export type MintNotification = (request: NotificationRequest) => Promise<string>;

/** The `payload` of a server-to-server notification, signed with the keys of `/auth/keys`. */
export const notificationMinter =
  ({ mint, now }: { mint: MintIdentityToken; now: () => number }): MintNotification =>
  ({ type, sub, clientId, at = now(), jti = randomUUID(), form = 'string' }) => {
    const event = { type, sub, event_time: at };
    const events = { string: JSON.stringify(event), object: event, array: [event] }[form];
    // Neither a person nor an end: the claims of an identity token that a notification has not.
    const absent = { sub: undefined, exp: undefined, auth_time: undefined, nonce_supported: undefined };
    return mint({ claims: { ...absent, aud: clientId, jti, events } });
  };
