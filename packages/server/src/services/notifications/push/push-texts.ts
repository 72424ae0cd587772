import type { NotificationKind } from '../inbox/notification-event.ts';

/**
 * What a lock screen shows. Each text is both the key and the English wording (`loc-key` of APNs): an app without a
 * translation shows the key, and the translations of released apps depend on it, so a key does not change. `discreet` is the default and reveals neither names nor subjects. No text contains a number
 * or a word about using (PUSH-7, STORE-1); push-texts.test.ts checks them against a list.
 */
interface PushText {
  readonly discreet: string;
  /** `%@` is replaced by a name. */
  readonly open: string;
}

const discreet = 'There is something new for you.';

export const pushTexts: Readonly<Record<NotificationKind, PushText>> = {
  'friend-requested': { discreet, open: '%@ asks to be your friend.' },
  'friend-accepted': { discreet, open: 'You and %@ are friends now.' },
  'milestone-reached': { discreet, open: 'You have reached a milestone.' },
  cheered: { discreet, open: '%@ cheers you on.' },
  'signed-in': {
    discreet: 'Your account was signed in to on another device.',
    open: 'Your account was signed in to on another device.',
  },
  'session-reused': {
    discreet: 'A session of your account has ended.',
    open: 'A session of your account has ended.',
  },
};
