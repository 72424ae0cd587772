import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { signInPerson } from '../person.ts';

const Announcement = z.object({
  url: z.string(),
  appleSimulatorUrl: z.string().optional(),
  clientId: z.string(),
});

const Sheet = z.object({
  identityToken: z.string(),
  authorizationCode: z.string(),
  user: z.string(),
  name: z.object({ firstName: z.string().optional(), lastName: z.string().optional() }).optional(),
});

/** A bearer token of the development server that runs on this machine. Throws an Error for people where none does. */
export const developmentToken = async (name: string, dataDir: string): Promise<string> => {
  const file = join(dataDir, 'development.json');
  const text = await readFile(file, 'utf8').catch(() => {
    throw new Error(`No development server has run with its data in ${dataDir}; start one with npm start.`);
  });
  const { url, appleSimulatorUrl, clientId } = Announcement.parse(JSON.parse(text));
  if (appleSimulatorUrl === undefined)
    throw new Error('The development server runs without the Apple simulator, so no test user can sign in.');
  await fetch(`${url}/health/live`).catch(() => {
    throw new Error(`The development server at ${url} does not answer; start it with npm start.`);
  });
  const apple = {
    async authorize(request: object) {
      const answer = await fetch(`${appleSimulatorUrl}/simulator/authorize`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(request),
      });
      return Sheet.parse(await answer.json());
    },
  };
  const person = await signInPerson({ url, now: () => Date.now(), apple, clientId }, name);
  const token = person.client.accessToken();
  if (token === null) throw new Error('the sign-in gave no token');
  return token;
};
