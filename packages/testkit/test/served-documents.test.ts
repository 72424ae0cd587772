import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { startTestApp, type TestApp } from '../src/test-app.ts';

let app: TestApp;
beforeAll(async () => {
  app = await startTestApp();
});
afterAll(() => app.close());

it('serves the committed OpenAPI document with PUBLIC_URL as its server', async () => {
  const committed = JSON.parse(
    readFileSync(new URL('../../../openapi/openapi.json', import.meta.url), 'utf8'),
  ) as object;
  expect(committed).toMatchObject({ servers: [{ url: '/' }] });
  const answer = await fetch(`${app.url}/openapi.json`);
  expect(await answer.json()).toEqual({ ...committed, servers: [{ url: 'http://pufftrack.test' }] });
});
