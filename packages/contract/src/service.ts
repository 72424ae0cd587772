import { z } from 'zod';
import { endpoint } from './endpoint.ts';

const Dependencies = z.record(z.string(), z.enum(['up', 'down', 'off']));

const Ready = z.object({
  status: z.enum(['ready', 'degraded', 'not-ready']),
  dependencies: Dependencies,
});

export const healthLive = endpoint({
  method: 'GET',
  path: '/health/live',
  tag: 'service',
  auth: 'none',
  summary: 'The process runs',
  responses: { 200: z.object({ status: z.literal('live') }) },
  problems: [],
});

export const healthReady = endpoint({
  method: 'GET',
  path: '/health/ready',
  tag: 'service',
  auth: 'none',
  summary: 'This process can answer: the database has a primary',
  responses: { 200: Ready, 503: Ready },
  problems: [],
});

export const healthStartup = endpoint({
  method: 'GET',
  path: '/health/startup',
  tag: 'service',
  auth: 'none',
  summary: 'The start has finished: the database is migrated',
  responses: {
    200: z.object({ status: z.literal('started') }),
    503: z.object({ status: z.literal('starting') }),
  },
  problems: [],
});
