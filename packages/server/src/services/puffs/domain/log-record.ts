import type { WallClock } from '../../../domain/time-zones.ts';

/** The part of a puff that counts depend on. */
export interface CountedPuff {
  /** ms */
  readonly timestamp: number;
  readonly wall: WallClock;
  readonly quantity: number;
}

/**
 * A record of a person's log as the fold sees it.
 * - `puff`: a puff, as it was first recorded.
 * - `change`: an edit, a deletion or a restore of the puff `target`; null: not there before, or not there afterwards.
 * - `clear`: hides everything before it.
 * - `stripped`: a change whose content was removed for good; what it did is in every checkpoint.
 * - `empty`: a number that a crash had left out, or a puff whose content was removed together with its deletion.
 */
export type LogRecord =
  | {
      readonly rev: number;
      readonly kind: 'puff';
      readonly counted: CountedPuff;
      /** ms */
      readonly receivedAt: number;
    }
  | {
      readonly rev: number;
      readonly kind: 'change';
      readonly target: string;
      readonly before: CountedPuff | null;
      readonly after: CountedPuff | null;
    }
  /** `at` in ms. */
  | { readonly rev: number; readonly kind: 'clear'; readonly at: number }
  | { readonly rev: number; readonly kind: 'stripped' | 'empty' };

export type ChangeRecord = Extract<LogRecord, { kind: 'change' }>;
