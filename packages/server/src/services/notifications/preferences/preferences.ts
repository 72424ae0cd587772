import {
  notificationCategories,
  type Delivery,
  type NotificationCategory,
  type NotificationPreferences,
  type NotificationPreferencesChange,
  type QuietHours,
} from '@pufftrack/contract';
import { DomainError } from '../../../platform/edge/errors.ts';

/** The preferences of a user; a category that is not set is pushed. */
export interface StoredPreferences {
  readonly categories: Partial<Record<NotificationCategory, Delivery>>;
  readonly quietHours: QuietHours | null;
  readonly discreet: boolean;
  /** Whether `friendPuff` of all friends is muted, and since when (ms); 0: since the beginning. */
  readonly muteAll: boolean;
  readonly muteAllSince: number;
}

export const defaultPreferences: StoredPreferences = {
  categories: {},
  quietHours: null,
  discreet: true,
  muteAll: false,
  muteAllSince: 0,
};

export const deliveryOf = (
  { categories }: Pick<StoredPreferences, 'categories'>,
  category: NotificationCategory,
): Delivery => categories[category] ?? 'push';

/**
 * Absent members stay unchanged; null removes the quiet hours. Throws `invalid` for `security: off`: an attacker with
 * access to an account must not be able to hide that from its owner.
 */
export const changedPreferences = (
  before: StoredPreferences,
  change: NotificationPreferencesChange,
  now: number,
): StoredPreferences => {
  const { muteAll = before.muteAll } = change;
  if (change.categories?.security === 'off')
    throw new DomainError('invalid', {
      detail: 'Security notifications cannot be switched off.',
      errors: [{ path: 'categories.security', message: 'must be push or in-app' }],
    });
  return {
    categories: { ...before.categories, ...definedOnly(change.categories ?? {}) },
    quietHours: change.quietHours === undefined ? before.quietHours : change.quietHours,
    discreet: change.discreet ?? before.discreet,
    muteAll,
    muteAllSince: muteAll === before.muteAll ? before.muteAllSince : now,
  };
};

const definedOnly = (categories: NonNullable<NotificationPreferencesChange['categories']>) =>
  Object.fromEntries(
    Object.entries(categories).filter(([, delivery]) => delivery !== undefined),
  ) as StoredPreferences['categories'];

/** All categories with their delivery. */
export const viewPreferences = (preferences: StoredPreferences): NotificationPreferences => ({
  categories: Object.fromEntries(
    notificationCategories.map((category) => [category, deliveryOf(preferences, category)]),
  ) as Record<NotificationCategory, Delivery>,
  quietHours: preferences.quietHours,
  discreet: preferences.discreet,
  muteAll: preferences.muteAll,
});
