import { createPrivateKey } from 'node:crypto';
import { z } from 'zod';

/** Schemas of single environment variables, each with the sentence that a faulty value gets. */

export const list = z
  .string()
  .transform((value) => value.split(',').map((item) => item.trim()))
  .refine((items) => items.every((item) => item !== ''), {
    error: 'must be a comma-separated list without empty items',
  });

export const httpUrl = z
  .string()
  .regex(/^https?:\/\/[^/\s?#]+(\/[^\s?#]*)?$/, { error: 'must be an http(s) address without query' })
  .transform((value) => value.replace(/\/+$/, ''));

export const port = z
  .string()
  .regex(/^\d{1,5}$/, { error: 'must be a port number' })
  .transform(Number)
  .refine((value) => value <= 65_535, { error: 'must be a port number' });

export const wholeNumber = (max: number) =>
  z
    .string()
    .regex(/^\d{1,9}$/, { error: 'must be a whole number' })
    .transform(Number)
    .refine((value) => value <= max, { error: `must be at most ${max}` });

export const key32 = z
  .string()
  .regex(/^[A-Za-z0-9+/]{43}=$/, { error: 'must be 32 bytes in base64' })
  .transform((value) => Buffer.from(value, 'base64'));

export const appleId = z.string().regex(/^[A-Z0-9]{10}$/, { error: 'must be 10 capital letters and digits' });

/** `\\n` stands for a line break, because many consoles accept one line only. */
const pem = z.string().transform((value) => value.replaceAll('\\n', '\n'));

const isP256Key = (pem: string): boolean => {
  try {
    return createPrivateKey(pem).asymmetricKeyDetails?.namedCurve === 'prime256v1';
  } catch {
    return false;
  }
};

/** PEM, PKCS #8. */
export const p256Key = pem.refine(isP256Key, {
  error: 'must be the .p8 file of Apple: a P-256 private key in PEM',
});

export const certificate = pem.refine((value) => value.includes('-----BEGIN CERTIFICATE-----'), {
  error: 'must be a certificate in PEM',
});
