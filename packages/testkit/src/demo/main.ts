import { randomBytes } from 'node:crypto';
import { startTemporaryMongo } from '@pufftrack/local-services';
import { MongoClient } from 'mongodb';
import { playDemo } from './play.ts';
import { developmentToken } from './token.ts';

// `npm run demo` plays a week on a server of its own; `npm run demo -- token alice` prints a bearer token for the
// development server that runs on this machine.

const print = (line: string) => {
  process.stdout.write(`${line}\n`);
};

const demo = async (): Promise<boolean> => {
  const given = process.env['MONGODB_URI'];
  if (given !== undefined) {
    const uri = new URL(given);
    uri.pathname = `/demo_${randomBytes(6).toString('hex')}`;
    try {
      return await playDemo(uri.href, print);
    } finally {
      const client = await MongoClient.connect(uri.href);
      await client.db().dropDatabase();
      await client.close();
    }
  }
  const mongo = await startTemporaryMongo({ log: print });
  try {
    return await playDemo(mongo.uri, print);
  } finally {
    await mongo.stop();
  }
};

const [command, name] = process.argv.slice(2);
try {
  if (command === undefined) {
    if (!(await demo())) process.exitCode = 1;
  } else if (command === 'token' && name !== undefined) {
    print(await developmentToken(name, process.env['DATA_DIR'] ?? './.data'));
  } else {
    throw new Error('Usage: npm run demo, or npm run demo -- token <name>');
  }
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
