import { cleanText, type Purpose, type ShareLevel } from '@pufftrack/contract';
import { Schema, type Connection } from 'mongoose';
import { collectionOf, type OwnedCollection } from '../../../platform/mongo/collection.ts';
import type { ConsentState } from '../consents/consent.ts';
import type { Ghost, Profile, UserRecord } from './user.ts';

export interface UserDoc extends Profile {
  _id: string;
  email: string | null;
  createdAt: Date;
  lastLoginAt: Date;
  /** Every zone since the account was created, oldest first (domain.md D1). */
  timeZones: { timeZone: string; from: Date }[];
  friendCode: string;
  ageBand: '18+' | 'under-18';
  settingsVersion: number;
  /** Incremented by transactions that lock the user, so that of two at once one sees the other. */
  requestCount: number;
  /** Incremented by every change of the audience of this user's puffs; see audience-store.ts. */
  audienceVersion: number;
  /** When that last changed, by the clock of the database. */
  audienceChangedAt?: Date;
  ghost?: { since: Date; until: Date | null; summary: Ghost['summary'] };
  sharesSince?: Date;
  nameHidden?: boolean;
  consents: { purpose: Purpose; version: string; granted: boolean; at: Date }[];
}

const userSchema = new Schema<UserDoc>({
  _id: { type: String, required: true },
  name: { type: String, default: null },
  email: { type: String, default: null },
  createdAt: { type: Date, required: true },
  lastLoginAt: { type: Date, required: true },
  timeZone: { type: String, required: true },
  timeZones: [{ _id: false, timeZone: String, from: Date }],
  locale: { type: String, required: true },
  dayStartHour: { type: Number, required: true },
  weekStart: { type: String, required: true },
  product: { type: String, required: true },
  friendCode: { type: String, required: true },
  defaultShareLevel: { type: String, required: true },
  ageBand: { type: String, required: true },
  settingsVersion: { type: Number, required: true },
  requestCount: { type: Number, default: 0 },
  audienceVersion: { type: Number, default: 0 },
  audienceChangedAt: Date,
  ghost: {
    type: { _id: false, since: Date, until: Date, summary: Schema.Types.Mixed },
    default: undefined,
  },
  sharesSince: Date,
  nameHidden: Boolean,
  consents: [{ _id: false, purpose: String, version: String, granted: Boolean, at: Date }],
});
userSchema.index({ friendCode: 1 }, { unique: true });
userSchema.index({ timeZone: 1, dayStartHour: 1, _id: 1 });
userSchema.index({ audienceChangedAt: 1 }, { sparse: true });
userSchema.index({ 'ghost.until': 1 }, { partialFilterExpression: { 'ghost.until': { $type: 'date' } } });

/** The collection of users; audience-store.ts and user-listing-store.ts use it too. */
export const usersOf = (connection: Connection): OwnedCollection<UserDoc> =>
  collectionOf(connection, 'users', userSchema);

export const toConsentDoc = ({ at, ...consent }: ConsentState) => ({ ...consent, at: new Date(at) });

export const toDoc = ({
  userId,
  createdAt,
  lastLoginAt,
  timeZones,
  consents,
  ghost,
  sharesSince,
  ...user
}: UserRecord): UserDoc => ({
  _id: userId,
  ...user,
  requestCount: 0,
  audienceVersion: 0,
  createdAt: new Date(createdAt),
  lastLoginAt: new Date(lastLoginAt),
  timeZones: timeZones.map(({ timeZone, from }) => ({ timeZone, from: new Date(from) })),
  consents: consents.map(toConsentDoc),
  ...(ghost && { ghost: toGhostDoc(ghost) }),
  sharesSince: new Date(sharesSince),
});

export const toGhostDoc = ({ since, until, summary }: Ghost) => ({
  since: new Date(since),
  until: until === null ? null : new Date(until),
  summary,
});

/** Names accepted by an earlier version may contain invisible characters or direction overrides. */
const nameOf = ({ name }: UserDoc): string | null => (name === null ? null : cleanText(name) || null);

export const toUser = (doc: UserDoc): UserRecord => ({
  userId: doc._id,
  name: nameOf(doc),
  email: doc.email,
  createdAt: doc.createdAt.getTime(),
  lastLoginAt: doc.lastLoginAt.getTime(),
  timeZone: doc.timeZone,
  timeZones: doc.timeZones.map(({ timeZone, from }) => ({ timeZone, from: from.getTime() })),
  locale: doc.locale,
  dayStartHour: doc.dayStartHour,
  weekStart: doc.weekStart,
  product: doc.product,
  friendCode: doc.friendCode,
  defaultShareLevel: doc.defaultShareLevel satisfies ShareLevel,
  ageBand: doc.ageBand,
  settingsVersion: doc.settingsVersion,
  consents: doc.consents.map(({ purpose, version, granted, at }) => ({
    purpose,
    version,
    granted,
    at: at.getTime(),
  })),
  ghost: doc.ghost
    ? {
        since: doc.ghost.since.getTime(),
        until: doc.ghost.until?.getTime() ?? null,
        summary: doc.ghost.summary,
      }
    : null,
  sharesSince: (doc.sharesSince ?? doc.createdAt).getTime(),
  nameHidden: doc.nameHidden === true,
});
