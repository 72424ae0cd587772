import { z } from 'zod';
import { endpoint } from '../endpoint.ts';
import { Day, Instant } from '../values.ts';

const Dependencies = z
  .record(z.string(), z.enum(['up', 'down', 'off']))
  .meta({ description: 'The state of MongoDB and Redis; `off`: not configured.' });

const Ready = z.object({
  status: z.enum(['ready', 'degraded', 'not-ready']),
  dependencies: Dependencies,
  zoneRules: z
    .object({
      version: z
        .string()
        .meta({ description: 'The release of the IANA time zone database in use.', example: '2026f' }),
      publishedOn: Day.meta({ description: 'The day on which the package that carries it was published.' }),
    })
    .optional(),
});

export const healthLive = endpoint({
  method: 'GET',
  path: '/health/live',
  tag: 'service',
  whileStarting: true,
  auth: 'none',
  rate: 'none',
  anyAppBuild: true,
  summary: 'The process runs',
  responses: { 200: z.object({ status: z.literal('live') }) },
  problems: [],
});

export const healthReady = endpoint({
  method: 'GET',
  path: '/health/ready',
  tag: 'service',
  whileStarting: true,
  auth: 'none',
  rate: 'none',
  anyAppBuild: true,
  summary: 'This process can answer: the database is reachable and takes writes',
  responses: { 200: Ready, 503: Ready },
  problems: [],
});

export const healthStartup = endpoint({
  method: 'GET',
  path: '/health/startup',
  tag: 'service',
  whileStarting: true,
  auth: 'none',
  rate: 'none',
  anyAppBuild: true,
  summary: 'The start has finished: the database is migrated',
  responses: {
    200: z.object({ status: z.literal('started') }),
    503: z.object({ status: z.literal('starting') }),
  },
  problems: [],
});

export const getConfig = endpoint({
  method: 'GET',
  path: '/config',
  tag: 'service',
  whileStarting: true,
  auth: 'none',
  anyAppBuild: true,
  summary: 'What an app reads at its start: the oldest build served, the time of the server, and limits',
  responses: {
    200: z.object({
      minAppBuild: z.number().int().meta({ description: '0 where every build is served.' }),
      serverTime: Instant,
      limits: z.object({
        puffsPerBatch: z.number().int().meta({ description: 'Puffs in one `POST /puffs/batch`.' }),
        puffsPerSocketBatch: z.number().int().meta({ description: 'Puffs in one socket event.' }),
        quantityPerPuff: z.number().int().meta({ description: 'Units of one puff.' }),
        bodyBytes: z.number().int().meta({ description: 'Bytes of a request body.' }),
        batchBodyBytes: z.number().int().meta({ description: 'Bytes of the body of `POST /puffs/batch`.' }),
        socketFrameBytes: z.number().int().meta({ description: 'Bytes of a socket frame.' }),
        pageSize: z.number().int().meta({ description: 'Rows of a page.' }),
        sessions: z
          .number()
          .int()
          .meta({ description: 'Sessions of an account; another one ends the oldest.' }),
        socketsPerPerson: z.number().int().meta({ description: 'Open sockets of an account.' }),
      }),
    }),
  },
  problems: [],
});
