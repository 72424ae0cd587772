import type { NotificationKind } from '../inbox/notification-event.ts';

/**
 * What a lock screen shows. Each text is the key and the English wording at once (`loc-key` of APNs): an app without
 * a translation shows the key. `discreet` is for everybody who has not said otherwise; it tells neither who nor what.
 * No text has a number in it or a word about using (PUSH-7, STORE-1); push-texts.test.ts holds a list against them.
 */
interface PushText {
  readonly discreet: string;
  /** `%@` stands for a name. */
  readonly open: string;
}

const something = 'There is something new for you.';

export const pushTexts: Readonly<Record<NotificationKind, PushText>> = {
  'friend-requested': { discreet: something, open: '%@ asks to be your friend.' },
  'friend-accepted': { discreet: something, open: 'You and %@ are friends now.' },
  'milestone-reached': { discreet: something, open: 'You have reached a milestone.' },
  cheered: { discreet: something, open: '%@ cheers you on.' },
  'signed-in': {
    discreet: 'Your account was signed in to on another device.',
    open: 'Your account was signed in to on another device.',
  },
  'session-reused': {
    discreet: 'A session of your account has ended.',
    open: 'A session of your account has ended.',
  },
};
