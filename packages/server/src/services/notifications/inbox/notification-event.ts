import type { MilestoneKind, NotificationCategory, PersistentEventName } from '@pufftrack/contract';

/** Somebody as they are named in a notification. */
export interface Named {
  readonly userId: string;
  readonly name: string | null;
}

/** What the other services have to tell a person, told inside the transaction that makes it true. */
export type NotificationEvent =
  | { readonly kind: 'friend-requested'; readonly requestId: string; readonly from: Named }
  | { readonly kind: 'friend-accepted'; readonly friend: Named }
  | {
      readonly kind: 'milestone-reached';
      readonly milestoneId: string;
      readonly milestone: MilestoneKind;
      readonly days: number;
    }
  | { readonly kind: 'cheered'; readonly milestoneId: string; readonly from: Named }
  | { readonly kind: 'signed-in'; readonly deviceName: string | null }
  | { readonly kind: 'session-reused'; readonly deviceName: string | null };

export type NotificationKind = NotificationEvent['kind'];

const kindsOfSomebody: ReadonlySet<NotificationKind> = new Set([
  'friend-requested',
  'friend-accepted',
  'cheered',
]);

/** Told of somebody whose name was taken out since: they were blocked, or are gone. Nobody is called to the phone for it. */
export const isAboutHiddenUser = (told: {
  kind: NotificationKind;
  data: Readonly<Record<string, string>>;
}): boolean => kindsOfSomebody.has(told.kind) && told.data['userId'] === undefined;

const kindsAboutPuffs: ReadonlySet<NotificationKind> = new Set(['milestone-reached', 'cheered']);

/** Derived from what its recipient recorded: pushed only while their puffs may be processed. */
export const isAboutPuffs = ({ kind }: { kind: NotificationKind }): boolean => kindsAboutPuffs.has(kind);

/** A row of the inbox before it has a number. */
export interface RenderedNotification {
  readonly category: NotificationCategory;
  /** The socket event that carries it. */
  readonly event: PersistentEventName;
  readonly title: string;
  readonly body: string;
  /** Ids and names to act on. */
  readonly data: Readonly<Record<string, string>>;
  /** What the row says instead, where one about the same thing is unread and names somebody else. */
  readonly together?: string;
}

const nameOf = ({ name }: Named) => name ?? 'Somebody';
const daysOf = (days: number) => (days === 1 ? 'A day' : `${days} days`);
const dataOf = ({ userId, name }: Named) => ({ userId, ...(name !== null && { name }) });

/** What a person reads of it. In English: an app that speaks another language builds its own from `data`, where `kind` is one of these. */
export const renderNotification = (event: NotificationEvent): RenderedNotification => {
  switch (event.kind) {
    case 'friend-requested':
      return {
        category: 'friend-request',
        event: 'friendRequest',
        title: 'Friend request',
        body: `${nameOf(event.from)} asks to be your friend.`,
        data: { requestId: event.requestId, ...dataOf(event.from) },
      };
    case 'friend-accepted':
      return {
        category: 'friend-accepted',
        event: 'friendAccepted',
        title: 'New friend',
        body: `You and ${nameOf(event.friend)} are friends now.`,
        data: dataOf(event.friend),
      };
    case 'milestone-reached':
      return {
        category: 'milestone',
        event: 'notification',
        title: 'Milestone',
        body: `${daysOf(event.days)} ${event.milestone === 'abstinence' ? 'without a puff' : 'within your limit'}.`,
        data: { milestoneId: event.milestoneId, milestone: event.milestone, days: String(event.days) },
      };
    case 'cheered':
      return {
        category: 'cheer',
        event: 'notification',
        title: 'Cheer',
        body: `${nameOf(event.from)} cheers you on.`,
        data: { milestoneId: event.milestoneId, ...dataOf(event.from) },
        together: `${nameOf(event.from)} and others cheer you on.`,
      };
    case 'signed-in':
      return {
        category: 'security',
        event: 'notification',
        title: 'New sign-in',
        body: `Your account was signed in to on ${event.deviceName ?? 'another device'}. If that was not you, end its session.`,
        data: event.deviceName === null ? {} : { deviceName: event.deviceName },
      };
    case 'session-reused':
      return {
        category: 'security',
        event: 'notification',
        title: 'Session ended',
        body: `An old key of ${event.deviceName ?? 'a device'} was used again, so its session has ended. Sign in there again.`,
        data: event.deviceName === null ? {} : { deviceName: event.deviceName },
      };
  }
};
