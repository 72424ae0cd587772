import type { ShareLevel } from '@pufftrack/contract';
import { Schema, type ClientSession, type Connection } from 'mongoose';
import { collectionOf } from '../../../platform/mongo/collection.ts';
import { wholeListBatchSize } from '../../../platform/mongo/batch.ts';
import { changedSide, pairOf, sidesFor, type Friendship, type Side } from './friendship.ts';

/** One document per pair, so that one write creates or ends a friendship for both. */
interface FriendConnectionDoc {
  /** `a~b`, in order. */
  _id: string;
  /** The same two, for the index. */
  people: [string, string];
  /** In the order of `people`. */
  sides: [SideDoc, SideDoc];
  since: Date;
}

interface SideDoc extends Pick<Side, 'person' | 'shareLevel' | 'muted'> {
  /** Absent: since the friendship began. */
  levelSince?: Date;
  mutedSince?: Date;
}

const sideSchema = {
  _id: false,
  person: String,
  shareLevel: String,
  muted: Boolean,
  levelSince: Date,
  mutedSince: Date,
};
const friendConnectionSchema = new Schema<FriendConnectionDoc>({
  _id: { type: String, required: true },
  people: { type: [String], required: true },
  sides: { type: [sideSchema], required: true } as never,
  since: { type: Date, required: true },
});
friendConnectionSchema.index({ people: 1, since: 1, _id: 1 });

export interface SideChange {
  readonly shareLevel?: ShareLevel | undefined;
  readonly muted?: boolean | undefined;
}

export interface FriendConnectionStore {
  ensureIndexes(): Promise<void>;
  /** Leaves an existing friendship unchanged. */
  open(friendship: Friendship, tx: ClientSession): Promise<void>;
  find(one: string, other: string, tx?: ClientSession): Promise<Friendship | undefined>;
  list(person: string, tx?: ClientSession): Promise<Friendship[]>;
  /** Every friendship of any of these users, in no order. */
  listOfAny(people: readonly string[]): Promise<Friendship[]>;
  count(person: string, tx: ClientSession): Promise<number>;
  /** Returns the friendship before and after the change at `now` (ms); undefined where there is none. */
  change(
    person: string,
    other: string,
    change: SideChange & { now: number },
    tx: ClientSession,
  ): Promise<{ before: Friendship; after: Friendship } | undefined>;
  /** False where there is none. */
  remove(one: string, other: string, tx: ClientSession): Promise<boolean>;
  /** Deletes every friendship of a user; returns their number. */
  removeAll(person: string): Promise<number>;
}

const idOf = (one: string, other: string) => pairOf(one, other).join('~');

export const createFriendConnectionStore = (connection: Connection): FriendConnectionStore => {
  const { collection: friendships, ensureIndexes } = collectionOf(
    connection,
    'friendconnections',
    friendConnectionSchema,
  );

  return {
    ensureIndexes,
    async open({ sides, since }, tx) {
      const [one, other] = sides;
      const people = pairOf(one.person, other.person);
      await friendships.updateOne(
        { _id: people.join('~') },
        {
          $setOnInsert: {
            people: [...people],
            sides: toSideDocs(one.person === people[0] ? [one, other] : [other, one]),
            since: new Date(since),
          },
        },
        { upsert: true, session: tx },
      );
    },
    async find(one, other, tx) {
      const doc = await friendships.findOne({ _id: idOf(one, other) }, tx ? { session: tx } : {});
      return doc ? toFriendship(doc) : undefined;
    },
    async list(person, tx) {
      const docs = await friendships
        .find(
          { people: person },
          { sort: { since: 1, _id: 1 }, batchSize: wholeListBatchSize, ...(tx && { session: tx }) },
        )
        .toArray();
      return docs.map(toFriendship);
    },
    async listOfAny(people) {
      const docs = await friendships
        .find({ people: { $in: [...people] } }, { batchSize: wholeListBatchSize })
        .toArray();
      return docs.map(toFriendship);
    },
    count: (person, tx) => friendships.countDocuments({ people: person }, { session: tx }),
    async change(person, other, { now, ...change }, tx) {
      const doc = await friendships.findOne({ _id: idOf(person, other) }, { session: tx });
      if (!doc) return undefined;
      const before = toFriendship(doc);
      const [first, second] = before.sides;
      const mine = changedSide(sidesFor(before, person).mine, change, now);
      const sides = first.person === person ? ([mine, second] as const) : ([first, mine] as const);
      await friendships.updateOne({ _id: doc._id }, { $set: { sides: toSideDocs(sides) } }, { session: tx });
      return { before, after: { ...before, sides } };
    },
    async remove(one, other, tx) {
      const { deletedCount } = await friendships.deleteOne({ _id: idOf(one, other) }, { session: tx });
      return deletedCount === 1;
    },
    async removeAll(person) {
      const { deletedCount } = await friendships.deleteMany({ people: person });
      return deletedCount;
    },
  };
};

const toSideDoc = ({ levelSince, mutedSince, ...side }: Side): SideDoc => ({
  ...side,
  levelSince: new Date(levelSince),
  mutedSince: new Date(mutedSince),
});

const toSideDocs = ([one, other]: Friendship['sides']): FriendConnectionDoc['sides'] => [
  toSideDoc(one),
  toSideDoc(other),
];

const toFriendship = ({ sides, since }: FriendConnectionDoc): Friendship => {
  const toSide = ({ levelSince = since, mutedSince = since, ...side }: SideDoc): Side => ({
    ...side,
    levelSince: levelSince.getTime(),
    mutedSince: mutedSince.getTime(),
  });
  return { sides: [toSide(sides[0]), toSide(sides[1])], since: since.getTime() };
};
