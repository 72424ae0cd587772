import {
  notificationCategories,
  type Delivery,
  type NotificationCategory,
  type NotificationPreferences,
  type NotificationPreferencesChange,
  type QuietHours,
} from '@pufftrack/contract';
import { DomainError } from '../../../platform/edge/errors.ts';

/** What a person has said of it; a category that they never named is pushed. */
export interface StoredPreferences {
  readonly categories: Partial<Record<NotificationCategory, Delivery>>;
  readonly quietHours: QuietHours | null;
  readonly discreet: boolean;
  /** Whether `friendPuff` of all friends is muted, and since when (ms) that is so; 0: always. */
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
 * Absent keeps, a null for the quiet hours ends them. Throws `invalid` where `security` would be off: whoever took an
 * account over must not be able to keep its person from learning of it.
 */
export const changedPreferences = (
  before: StoredPreferences,
  change: NotificationPreferencesChange,
  now: number,
): StoredPreferences => {
  const { muteAll = before.muteAll } = change;
  if (change.categories?.security === 'off')
    throw new DomainError('invalid', {
      detail: 'Notices of security cannot be switched off.',
      errors: [{ path: 'categories.security', message: 'must be push or in-app' }],
    });
  return {
    categories: { ...before.categories, ...named(change.categories ?? {}) },
    quietHours: change.quietHours === undefined ? before.quietHours : change.quietHours,
    discreet: change.discreet ?? before.discreet,
    muteAll,
    muteAllSince: muteAll === before.muteAll ? before.muteAllSince : now,
  };
};

const named = (categories: NonNullable<NotificationPreferencesChange['categories']>) =>
  Object.fromEntries(
    Object.entries(categories).filter(([, delivery]) => delivery !== undefined),
  ) as StoredPreferences['categories'];

/** Every category with its word. */
export const viewPreferences = (preferences: StoredPreferences): NotificationPreferences => ({
  categories: Object.fromEntries(
    notificationCategories.map((category) => [category, deliveryOf(preferences, category)]),
  ) as Record<NotificationCategory, Delivery>,
  quietHours: preferences.quietHours,
  discreet: preferences.discreet,
  muteAll: preferences.muteAll,
});
