import { generateKeyPairSync } from 'node:crypto';
import { calculateJwkThumbprint } from 'jose';
import { seal, sealContexts, type MasterKeys } from './sealed.ts';
import type { NewSigningKey } from './signing-key-store.ts';

/** A P-256 key for ES256, named by its thumbprint (RFC 7638), sealed for its row. */
export const newSigningKey = async (masterKeys: MasterKeys, now: number): Promise<NewSigningKey> => {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const kid = await calculateJwkThumbprint(publicKey.export({ format: 'jwk' }));
  const jwk = Buffer.from(JSON.stringify(privateKey.export({ format: 'jwk' })));
  return { kid, createdAt: now, sealedKey: seal(masterKeys, jwk, sealContexts.signingKey(kid)) };
};
