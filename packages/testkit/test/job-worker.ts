import { targetNames } from '@pufftrack/server';
import { startTestApp } from '../src/index.ts';

// A server process that runs what is due of one job at a given time, for a test that kills it in the middle.
const { MONGODB_URI, NOW, JOB } = process.env;
if (MONGODB_URI === undefined || NOW === undefined || JOB === undefined)
  throw new Error('MONGODB_URI, NOW and JOB are not set');
const app = await startTestApp({ targets: targetNames, mongoUri: MONGODB_URI, now: NOW });
await app.jobs.runDue(JOB);
await app.close();
