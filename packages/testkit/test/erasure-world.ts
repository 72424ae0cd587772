import type { Db } from 'mongodb';
import { ApiError } from '@pufftrack/client';
import type { Person, TestApp } from '../src/index.ts';
import { startTwoProcesses } from './two-processes.ts';

/** A cleanup pass that begins this long after the deletion is the last one if it finds nothing (ms). */
export const lastPassMs = 90_000;

/** Two processes on one database, as tests of erasures need them. */
export interface ErasureWorld {
  readonly here: TestApp;
  readonly there: TestApp;
  readonly db: Db;
  /** Runs an erasure from its first cleanup pass to its last one, after which no earlier write can be stored. */
  erase(): Promise<void>;
  collections(): Promise<string[]>;
  /** Every document of the database, as text. */
  dump(): Promise<{ collection: string; text: string }[]>;
  close(): Promise<void>;
}

export const startErasureWorld = async (options: { redisUrl?: string } = {}): Promise<ErasureWorld> => {
  const processes = await startTwoProcesses(options);
  const { here, there } = processes;
  const db = processes.mongo.db();
  const collections = async () =>
    (await db.listCollections({}, { nameOnly: true }).toArray()).map(({ name }) => name).sort();
  return {
    here,
    there,
    db,
    collections,
    async erase() {
      await here.drain();
      here.clock.advance(lastPassMs);
      await here.drain();
      await there.drain();
    },
    async dump() {
      const all: { collection: string; text: string }[] = [];
      for (const collection of await collections())
        for (const doc of await db.collection(collection).find().toArray())
          all.push({ collection, text: JSON.stringify(doc) });
      return all;
    },
    async close() {
      await db.dropDatabase();
      await processes.close();
    },
  };
};

export const tokenOf = ({ client }: Person): string => client.accessToken() ?? '';

/** The problem code of a rejected call; undefined where it succeeds. */
export const codeOf = async (call: Promise<unknown>): Promise<string | undefined> => {
  try {
    await call;
    return undefined;
  } catch (error) {
    if (error instanceof ApiError) return error.code;
    throw error;
  }
};

/** The problem code of a call with this token, whatever tokens the client of its user holds now. */
export const codeForToken = async (app: TestApp, token: string, path = '/users/me') => {
  const answer = await fetch(`${app.url}${path}`, { headers: { authorization: `Bearer ${token}` } });
  return ((await answer.json()) as { code?: string }).code;
};
