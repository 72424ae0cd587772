import type { NotificationCategory } from '@pufftrack/contract';
import type { NotificationKind } from '../inbox/notification-event.ts';
import { pushTexts } from './push-texts.ts';

/** Of UTF-8, by Apple's rule (PUSH-3). */
export const maxPayloadBytes = 4_096;

export interface PushContent {
  readonly id: string;
  readonly seq: number;
  readonly category: NotificationCategory;
  readonly kind: NotificationKind;
  /** Where it has a `name`, that is what may stand in the text. */
  readonly data: Readonly<Record<string, string>>;
}

/** The body of a push, as JSON of at most 4,096 bytes. Names give way where it would be more. */
export const pushPayload = (content: PushContent, discreet: boolean): string => {
  const { discreet: quiet, open } = pushTexts[content.kind];
  const args = !discreet && open.includes('%@') ? [content.data['name'] ?? 'Somebody'] : [];
  return fitted(args, (fitting) =>
    JSON.stringify({
      aps: {
        alert: {
          'loc-key': discreet ? quiet : open,
          ...(fitting.length > 0 && { 'loc-args': fitting }),
        },
        sound: 'default',
        'thread-id': content.category,
      },
      notification: { id: content.id, seq: content.seq, category: content.category },
    }),
  );
};

/**
 * The payload with its arguments, each cut to the longest length in code points, all alike, that fits.
 * Throws RangeError where it is too long even without them.
 */
export const fitted = (
  args: readonly string[],
  build: (args: readonly string[]) => string,
  most = maxPayloadBytes,
): string => {
  const characters = args.map((arg) => Array.from(arg));
  for (let length = Math.max(0, ...characters.map((each) => each.length)); ; length--) {
    const payload = build(characters.map((each) => each.slice(0, length).join('')));
    if (Buffer.byteLength(payload) <= most) return payload;
    if (length === 0) throw new RangeError(`a push is longer than ${most} bytes`);
  }
};
