import { randomBytes, randomUUID } from 'node:crypto';
import type { Db, Document } from 'mongodb';

/** A document of ours: every `_id` is a string. */
export interface Doc extends Document {
  _id: string;
}

const letters = (count: number) => randomBytes(count).toString('hex').slice(0, count);

/**
 * Makes many people of one: the same settings and puffs under other ids, as no call could in the time of a test.
 * Answers their ids.
 */
export const multiply = async (db: Db, person: string, count: number): Promise<string[]> => {
  const users = db.collection<Doc>('users');
  const records = db.collection<Doc>('puffrecords');
  const user = await users.findOne({ _id: person });
  const puffs = await records.find({ person }).toArray();
  const ids = Array.from({ length: count }, () => letters(26));
  await users.insertMany(ids.map((_id) => ({ ...user, _id, friendCode: letters(10) })));
  await records.insertMany(
    ids.flatMap((id) => puffs.map((puff) => ({ ...puff, _id: `${id}:${randomUUID()}`, person: id }))),
  );
  return ids;
};

/** Makes them friends of one person, who share everything with each other. */
export const befriendMany = async (db: Db, person: string, friends: readonly string[]): Promise<void> => {
  await db.collection<Doc>('friendconnections').insertMany(
    friends.map((friend) => {
      const people = [person, friend].sort();
      return {
        _id: people.join('~'),
        people,
        sides: people.map((one) => ({ person: one, shareLevel: 'live', muted: false })),
        since: new Date(0),
      };
    }),
  );
};

/** Gives a person friends who are nobody, as no call could in the time of a test. */
export const manyFriends = async (db: Db, person: string, count: number): Promise<void> => {
  const side = (who: string) => ({ person: who, shareLevel: 'none', muted: false });
  await db.collection<Doc>('friendconnections').insertMany(
    Array.from({ length: count }, () => {
      const people = [person, letters(26)].sort();
      return { _id: people.join('~'), people, sides: people.map(side), since: new Date(0) };
    }),
  );
};
