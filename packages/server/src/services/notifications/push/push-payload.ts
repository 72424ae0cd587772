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
  /** `name` replaces the placeholder of the text. */
  readonly data: Readonly<Record<string, string>>;
}

/** The body of a push, as JSON of at most 4,096 bytes; names are shortened to fit. */
export const pushPayload = (content: PushContent, discreet: boolean): string => {
  const { discreet: discreetText, open } = pushTexts[content.kind];
  const args = !discreet && open.includes('%@') ? [content.data['name'] ?? 'Someone'] : [];
  return fitted(args, (fittedArgs) =>
    JSON.stringify({
      aps: {
        alert: {
          'loc-key': discreet ? discreetText : open,
          ...(fittedArgs.length > 0 && { 'loc-args': fittedArgs }),
        },
        sound: 'default',
        'thread-id': content.category,
      },
      notification: { id: content.id, seq: content.seq, category: content.category },
    }),
  );
};

/**
 * The payload with its arguments, all cut to the largest equal number of code points that fits.
 * Throws RangeError if it is too long even without them.
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
