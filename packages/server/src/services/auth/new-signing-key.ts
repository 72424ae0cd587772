import { generateKeyPairSync } from 'node:crypto';
import { calculateJwkThumbprint } from 'jose';
import { seal } from './sealed.ts';
import type { NewSigningKey } from './signing-key-store.ts';

/** What a signing key is sealed for: its own row. */
export const sealContextOf = (kid: string) => `signing-key:${kid}`;

/** A P-256 key for ES256, named by its thumbprint (RFC 7638), sealed for its row. */
export const newSigningKey = async (masterKey: Buffer, now: number): Promise<NewSigningKey> => {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const kid = await calculateJwkThumbprint(publicKey.export({ format: 'jwk' }));
  const jwk = Buffer.from(JSON.stringify(privateKey.export({ format: 'jwk' })));
  return { kid, createdAt: now, sealedKey: seal(masterKey, jwk, sealContextOf(kid)) };
};
