import { createHash } from 'node:crypto';
import type { AppleSimulator } from '@pufftrack/apple-simulator';
import { createClient, type Client } from '@pufftrack/client';
import { purposes } from '@pufftrack/contract';

export const clientId = 'app.pufftrack.bench';

/** Signs in so many people and answers a client of each. */
export const signInPeople = async (
  port: number,
  apple: AppleSimulator,
  count: number,
  name = 'bench',
): Promise<Client[]> => {
  const clients: Client[] = [];
  for (let index = 0; index < count; index++) {
    const client = createClient({ baseUrl: `http://127.0.0.1:${port}`, now: () => Date.now() });
    const { nonce } = await client.call('createNonce');
    const { identityToken } = await apple.authorize({
      person: `${name}-${index}`,
      clientId,
      nonce: createHash('sha256').update(nonce).digest('hex'),
    });
    const versions = await client.call('getLegalVersions');
    await client.signIn({
      identityToken,
      nonce,
      ageBand: '18+',
      timeZone: 'Europe/Berlin',
      consents: purposes.map((purpose) => ({ purpose, version: versions[purpose] })),
    });
    clients.push(client);
  }
  return clients;
};

export const tokenOf = (client: Client): string => {
  const token = client.accessToken();
  if (token === null) throw new Error('a client of the benchmark is not signed in');
  return token;
};
