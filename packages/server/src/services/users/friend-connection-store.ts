import type { ShareLevel } from '@pufftrack/contract';
import { Schema, type ClientSession, type Connection } from 'mongoose';
import { wholeBatch } from '../../platform/mongo/batch.ts';
import { pairOf, type Friendship, type Side } from './friendship.ts';

/** One document for each pair, so that a friendship is made and ended for both in one write. */
interface FriendConnectionDoc {
  /** `a~b`, in order. */
  _id: string;
  /** The same two, for the index. */
  people: [string, string];
  /** In the order of `people`. */
  sides: [Side, Side];
  since: Date;
}

const sideSchema = { _id: false, person: String, shareLevel: String, muted: Boolean };
const friendConnectionSchema = new Schema<FriendConnectionDoc>(
  {
    _id: { type: String, required: true },
    people: { type: [String], required: true },
    sides: { type: [sideSchema], required: true } as never,
    since: { type: Date, required: true },
  },
  { collection: 'friendconnections', versionKey: false },
);
friendConnectionSchema.index({ people: 1, since: 1, _id: 1 });

export interface SideChange {
  readonly shareLevel?: ShareLevel | undefined;
  readonly muted?: boolean | undefined;
}

export interface FriendConnectionStore {
  ensureIndexes(): Promise<void>;
  /** Leaves a friendship that is there already as it is. */
  open(friendship: Friendship, tx: ClientSession): Promise<void>;
  find(one: string, other: string, tx?: ClientSession): Promise<Friendship | undefined>;
  list(person: string): Promise<Friendship[]>;
  count(person: string, tx: ClientSession): Promise<number>;
  /** Answers the friendship before and after; undefined where there is none. */
  change(
    person: string,
    other: string,
    change: SideChange,
  ): Promise<{ before: Friendship; after: Friendship } | undefined>;
  remove(one: string, other: string): Promise<Friendship | undefined>;
}

const idOf = (one: string, other: string) => pairOf(one, other).join('~');

export const createFriendConnectionStore = (connection: Connection): FriendConnectionStore => {
  const model = connection.model('FriendConnection', friendConnectionSchema);

  return {
    async ensureIndexes() {
      await model.createCollection();
      await model.createIndexes();
    },
    async open({ sides, since }, tx) {
      const [one, other] = sides;
      const people = pairOf(one.person, other.person);
      await model.updateOne(
        { _id: people.join('~') },
        {
          $setOnInsert: {
            people: [...people],
            sides: one.person === people[0] ? [one, other] : [other, one],
            since: new Date(since),
          },
        },
        { upsert: true, session: tx },
      );
    },
    async find(one, other, tx) {
      const doc = await model
        .findById(idOf(one, other))
        .session(tx ?? null)
        .lean<FriendConnectionDoc>();
      return doc ? toFriendship(doc) : undefined;
    },
    async list(person) {
      const docs = await model
        .find({ people: person })
        .sort({ since: 1, _id: 1 })
        .batchSize(wholeBatch)
        .lean<FriendConnectionDoc[]>();
      return docs.map(toFriendship);
    },
    count: (person, tx) => model.countDocuments({ people: person }).session(tx).exec(),
    async change(person, other, { shareLevel, muted }) {
      const mine = `sides.${pairOf(person, other).indexOf(person)}`;
      const doc = await model
        .findOneAndUpdate(
          { _id: idOf(person, other) },
          {
            $set: {
              // Set to itself where nothing else is asked, so that one call answers both states.
              [`${mine}.person`]: person,
              ...(shareLevel !== undefined && { [`${mine}.shareLevel`]: shareLevel }),
              ...(muted !== undefined && { [`${mine}.muted`]: muted }),
            },
          },
          { returnDocument: 'before' },
        )
        .lean<FriendConnectionDoc>();
      if (!doc) return undefined;
      const before = toFriendship(doc);
      const changed = (side: Side): Side =>
        side.person === person
          ? { ...side, shareLevel: shareLevel ?? side.shareLevel, muted: muted ?? side.muted }
          : side;
      const [first, second] = before.sides;
      return { before, after: { ...before, sides: [changed(first), changed(second)] } };
    },
    async remove(one, other) {
      const doc = await model.findOneAndDelete({ _id: idOf(one, other) }).lean<FriendConnectionDoc>();
      return doc ? toFriendship(doc) : undefined;
    },
  };
};

const toFriendship = ({ sides, since }: FriendConnectionDoc): Friendship => ({
  sides,
  since: since.getTime(),
});
