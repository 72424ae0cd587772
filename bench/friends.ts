import { randomBytes } from 'node:crypto';
import { cpus } from 'node:os';
import { startServerProcess } from '@pufftrack/testkit';
import { MongoClient, type Db, type Document } from 'mongodb';
import { serverProgram } from './built.ts';
import { signInPeople, tokenOf } from './people.ts';
import { median, spread, table } from './report.ts';
import { openWorld } from './world.ts';
import { seedLog } from './seed.ts';

const rounds = 3;
const callsEach = 40;
const years = 10;
const friendCounts = [5, 50, 200];
/** Of every friend. */
const histories = [1_000, 100_000];
const mostFriends = Math.max(...friendCounts);

type Doc = Document & { _id: string };

/** What a list of friends and a board cost, by the number of friends and the length of their histories. */
export const benchFriends = async (print: (line: string) => void): Promise<void> => {
  const world = await openWorld(print);
  const { mongo, apple, env } = world;
  const raw = await MongoClient.connect(mongo.uri);
  let server = await startServerProcess(env, serverProgram);
  try {
    const viewers = await signInPeople(server.port, apple, friendCounts.length * histories.length);
    const models = await signInPeople(server.port, apple, histories.length, 'model');
    const cases: { name: string; friends: number; puffs: number; token: string }[] = [];
    for (const [index, puffs] of histories.entries()) {
      const model = await models[index]?.call('getMe');
      if (!model) throw new Error('no user signed in');
      await seedLog(mongo.uri, model.id, puffs, years);
      const friends = await copies(raw.db(), model.id, mostFriends);
      for (const count of friendCounts) {
        const viewer = viewers.pop();
        if (!viewer) throw new Error('no user signed in');
        await createFriendship(raw.db(), (await viewer.call('getMe')).id, friends.slice(0, count));
        cases.push({
          name: `${count} friends, ${puffs} puffs`,
          friends: count,
          puffs,
          token: tokenOf(viewer),
        });
      }
    }
    // A process with an empty cache.
    await server.stop();
    server = await startServerProcess(env, serverProgram);
    const { port } = server;
    const get = async (path: string, token: string): Promise<number> => {
      const started = performance.now();
      const answer = await fetch(`http://127.0.0.1:${port}${path}`, {
        headers: { authorization: `Bearer ${token}` },
      });
      await answer.arrayBuffer();
      if (answer.status !== 200) throw new Error(`${path}: ${answer.status}`);
      return performance.now() - started;
    };
    print(`${cpus().length} cores of ${cpus()[0]?.model ?? '?'}, Node.js ${process.version}`);
    print(`one call at a time; medians of ${callsEach} calls, ${rounds} rounds in turns\n`);
    for (const path of ['/friends', '/friends/leaderboard']) {
      const medians = new Map(cases.map(({ name }) => [name, [] as number[]]));
      for (const { token } of cases) for (let call = 0; call < 10; call++) await get(path, token);
      for (let round = 0; round < rounds; round++)
        for (const { name, token } of cases) {
          const times = [];
          for (let call = 0; call < callsEach; call++) times.push(await get(path, token));
          medians.get(name)?.push(median(times));
        }
      const of = (friends: number, puffs: number) => medians.get(`${friends} friends, ${puffs} puffs`) ?? [];
      const ratio = (over: readonly number[], under: readonly number[]) =>
        (median(over) / median(under)).toFixed(2);
      const [few, many] = [Math.min(...friendCounts), mostFriends];
      const [short, long] = [Math.min(...histories), Math.max(...histories)];
      print(
        table(
          [`GET ${path}, ms`, ...histories.map((puffs) => `${puffs} puffs each`), `${long} to ${short}`],
          [
            ...friendCounts.map((friends) => [
              `${friends} friends`,
              ...histories.map((puffs) => spread(of(friends, puffs), 2)),
              ratio(of(friends, long), of(friends, short)),
            ]),
            [`${many} to ${few}`, ...histories.map((puffs) => ratio(of(many, puffs), of(few, puffs))), ''],
          ],
        ),
      );
      print('');
    }
  } finally {
    await raw.close();
    await server.stop();
    await world.close();
  }
};

const newId = () => randomBytes(13).toString('hex');

/**
 * People with the settings and the counts of one. Of their logs they have the newest record alone: nothing below a
 * checkpoint is ever read, and 200 logs of 100,000 records are more than a benchmark should write.
 */
const copies = async (db: Db, model: string, count: number): Promise<string[]> => {
  const ids = Array.from({ length: count }, newId);
  const copy = async (collection: string, filter: Document, make: (doc: Doc, id: string) => Doc) => {
    const docs = await db.collection<Doc>(collection).find(filter).toArray();
    for (const id of ids)
      if (docs.length > 0) await db.collection<Doc>(collection).insertMany(docs.map((doc) => make(doc, id)));
  };
  await copy('users', { _id: model }, (doc, id) => ({ ...doc, _id: id, friendCode: id.slice(0, 10) }));
  await copy('puffpeople', { _id: model }, (doc, id) => ({ ...doc, _id: id }));
  await copy('puffmonths', { person: model }, (doc, id) => ({
    ...doc,
    _id: doc._id.replace(model, id),
    person: id,
  }));
  const [newest] = await db
    .collection<Doc>('puffrecords')
    .find({ person: model })
    .sort({ rev: -1 })
    .limit(1)
    .toArray();
  await copy('puffrecords', { _id: newest?._id ?? '' }, (doc, id) => ({
    ...doc,
    _id: doc._id.replace(model, id),
    person: id,
  }));
  return ids;
};

const createFriendship = async (db: Db, viewer: string, friends: readonly string[]): Promise<void> => {
  await db.collection<Doc>('friendconnections').insertMany(
    friends.map((friend) => {
      const people = [viewer, friend].sort();
      return {
        _id: people.join('~'),
        people,
        sides: people.map((person) => ({ person, shareLevel: 'live', muted: false })),
        since: new Date(),
      };
    }),
  );
};
