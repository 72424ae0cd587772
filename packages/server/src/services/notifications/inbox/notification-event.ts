import type { MilestoneKind, NotificationCategory, PersistentEventName } from '@pufftrack/contract';

/** A user as a notification names them. */
export interface NamedUser {
  readonly userId: string;
  readonly name: string | null;
}

/** What a user is notified of, inside the transaction that causes it. */
export type NotificationEvent =
  | { readonly kind: 'friend-requested'; readonly requestId: string; readonly from: NamedUser }
  | { readonly kind: 'friend-accepted'; readonly friend: NamedUser }
  | {
      readonly kind: 'milestone-reached';
      readonly milestoneId: string;
      readonly milestone: MilestoneKind;
      readonly days: number;
    }
  | { readonly kind: 'cheered'; readonly milestoneId: string; readonly from: NamedUser }
  | { readonly kind: 'signed-in'; readonly deviceName: string | null }
  | { readonly kind: 'session-reused'; readonly deviceName: string | null };

export type NotificationKind = NotificationEvent['kind'];

interface StoredEvent {
  readonly kind: NotificationKind;
  readonly data: Readonly<Record<string, string>>;
}

const kindsThatNameUsers: ReadonlySet<NotificationKind> = new Set([
  'friend-requested',
  'friend-accepted',
  'cheered',
]);

/** The name was removed: that user is blocked, is no friend any more, or has deleted the account. No push is sent. */
export const isAboutHiddenUser = ({ kind, data }: StoredEvent): boolean =>
  kindsThatNameUsers.has(kind) && data['userId'] === undefined;

const kindsAboutPuffs: ReadonlySet<NotificationKind> = new Set(['milestone-reached', 'cheered']);

/** Derived from the recipient's puffs: pushed only while those may be processed. */
export const isAboutPuffs = ({ kind }: Pick<StoredEvent, 'kind'>): boolean => kindsAboutPuffs.has(kind);

/** The content of an inbox row. */
export interface RenderedNotification {
  readonly category: NotificationCategory;
  /** The socket event that carries it. */
  readonly event: PersistentEventName;
  readonly title: string;
  readonly body: string;
  /** Ids and names for the app. */
  readonly data: Readonly<Record<string, string>>;
  /** The body of an unread row about the same subject that names another user, in place of a second row. */
  readonly together?: string;
}

const nameOf = ({ name }: NamedUser) => name ?? 'Someone';
const daysOf = (days: number) => (days === 1 ? 'A day' : `${days} days`);
const dataOf = ({ userId, name }: NamedUser) => ({ userId, ...(name !== null && { name }) });
const deviceOf = ({ deviceName }: { deviceName: string | null }) =>
  deviceName === null ? {} : { deviceName };

/** The texts are English; an app in another language builds its own from `data`, whose `kind` is that of the event. */
export const renderNotification = (event: NotificationEvent): RenderedNotification => {
  switch (event.kind) {
    case 'friend-requested':
      return {
        category: 'friend-request',
        event: 'friendRequest',
        title: 'Friend request',
        body: `${nameOf(event.from)} sent you a friend request.`,
        data: { requestId: event.requestId, ...dataOf(event.from) },
      };
    case 'friend-accepted':
      return {
        category: 'friend-accepted',
        event: 'friendAccepted',
        title: 'New friend',
        body: `You and ${nameOf(event.friend)} are now friends.`,
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
        body: `${nameOf(event.from)} cheered you on.`,
        data: { milestoneId: event.milestoneId, ...dataOf(event.from) },
        together: `${nameOf(event.from)} and others cheered you on.`,
      };
    case 'signed-in':
      return {
        category: 'security',
        event: 'notification',
        title: 'New sign-in',
        body: `Your account was signed in to on ${event.deviceName ?? 'another device'}. If this was not you, end that session.`,
        data: deviceOf(event),
      };
    case 'session-reused':
      return {
        category: 'security',
        event: 'notification',
        title: 'Session ended',
        body: `Your session on ${event.deviceName ?? 'another device'} was ended for security: an old sign-in token was reused.`,
        data: deviceOf(event),
      };
  }
};
