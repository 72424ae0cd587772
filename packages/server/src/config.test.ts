import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { ConfigError, readConfig } from './config.ts';

const privateKey = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  .privateKey.export({ type: 'pkcs8', format: 'pem' })
  .toString();
const team = { APPLE_TEAM_ID: 'TEAM000001', APPLE_KEY_ID: 'KEY0000001', APPLE_PRIVATE_KEY: privateKey };
const production = {
  ...team,
  NODE_ENV: 'production',
  PUBLIC_URL: 'https://api.example.com',
  MONGODB_URI: 'mongodb://a:1,b:2/pufftrack?replicaSet=rs0',
  APPLE_CLIENT_IDS: 'com.example.app',
  MASTER_KEY: Buffer.alloc(32, 1).toString('base64'),
};

const faultsOf = (env: Record<string, string>): readonly string[] => {
  try {
    readConfig(env);
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.faults;
    throw error;
  }
};

describe('the configuration', () => {
  it('needs nothing in development', () => {
    expect(readConfig({})).toMatchObject({
      production: false,
      host: '127.0.0.1',
      port: 3000,
      mongoUri: undefined,
      apple: { simulator: true },
      docs: true,
    });
  });

  it('is complete in production with what has to be given', () => {
    expect(readConfig(production)).toMatchObject({
      production: true,
      host: '0.0.0.0',
      apple: { baseUrl: 'https://appleid.apple.com', simulator: false, clientIds: ['com.example.app'] },
      docs: false,
      metrics: { port: undefined, onApiListener: false },
    });
  });

  it('needs Redis in production as soon as there must be other processes', () => {
    const split = { ...production, TARGETS: 'auth,users' };
    expect(faultsOf(split)).toEqual([expect.stringMatching(/^REDIS_URL: is required/)]);
    expect(readConfig({ ...split, REDIS_URL: 'rediss://u:p@redis.example.com:6380' }).redisUrl).toMatch(
      /^rediss/,
    );
    expect(readConfig(production).redisUrl).toBeUndefined();
    expect(faultsOf({ REDIS_URL: 'redis.example.com' })).toEqual([expect.stringMatching(/^REDIS_URL: must/)]);
  });

  it("takes Apple's key in one line or in several", () => {
    const oneLine = privateKey.replaceAll('\n', '\\n');
    for (const APPLE_PRIVATE_KEY of [privateKey, oneLine])
      expect(readConfig({ ...production, APPLE_PRIVATE_KEY }).apple.team).toEqual({
        teamId: 'TEAM000001',
        keyId: 'KEY0000001',
        privateKey,
      });
    expect(readConfig({}).apple.team).toBeUndefined();
  });

  it('takes the key for pushes whole or not at all, and Apple alone in production', () => {
    const push = { APNS_TOPIC: 'com.example.app', APNS_KEY_ID: 'PUSHKEY001', APNS_PRIVATE_KEY: privateKey };
    expect(readConfig(production).apns).toBeUndefined();
    expect(readConfig({ ...production, ...push }).apns).toMatchObject({
      teamId: 'TEAM000001',
      keyId: 'PUSHKEY001',
      topic: 'com.example.app',
      baseUrl: undefined,
    });
    const { APNS_TOPIC, APNS_PRIVATE_KEY } = push;
    expect(faultsOf({ ...production, APNS_TOPIC, APNS_PRIVATE_KEY })).toEqual([
      expect.stringContaining('APNS_KEY_ID: is missing'),
    ]);
    expect(faultsOf(push)).toEqual([expect.stringContaining('APPLE_TEAM_ID: is missing')]);
    const elsewhere = { APNS_BASE_URL: 'https://127.0.0.1:1', APNS_CA: '-----BEGIN CERTIFICATE-----' };
    expect(faultsOf({ ...production, ...push, ...elsewhere })).toEqual([
      expect.stringContaining('APNS_BASE_URL: is refused'),
      expect.stringContaining('APNS_CA: is refused'),
    ]);
    expect(faultsOf({ APNS_BASE_URL: 'http://127.0.0.1:1' })).toEqual([
      expect.stringContaining('APNS_BASE_URL: must be an https address'),
    ]);
  });

  it('lists all faults at once, by name, without the values', () => {
    const faults = faultsOf({
      NODE_ENV: 'production',
      PORT: 'http',
      TARGETS: 'puffs,everything',
      MASTER_KEY: 'c2VjcmV0',
      LOG_LEVEL: 'loud',
    });
    for (const name of [
      'PORT',
      'TARGETS',
      'MASTER_KEY',
      'LOG_LEVEL',
      'PUBLIC_URL',
      'MONGODB_URI',
      'APPLE_CLIENT_IDS',
    ])
      expect(faults.join('\n')).toContain(name);
    expect(faults.join('\n')).not.toContain('c2VjcmV0');
  });

  it.each([
    ['APPLE_CLIENT_IDS', { APPLE_CLIENT_IDS: '' }],
    ['APPLE_CLIENT_IDS', { APPLE_BASE_URL: 'http://127.0.0.1:9' }],
    ['APPLE_CLIENT_IDS', { ...production, APPLE_CLIENT_IDS: '' }],
    ['APPLE_BASE_URL', { ...production, APPLE_BASE_URL: 'https://appleid.apple.com.evil.io' }],
    ['APPLE_SIMULATOR', { ...production, APPLE_SIMULATOR: 'on' }],
    ['APPLE_BASE_URL', { APPLE_SIMULATOR: 'on', APPLE_BASE_URL: 'http://127.0.0.1:9' }],
    ['PUBLIC_URL', { ...production, PUBLIC_URL: 'http://api.example.com' }],
    ['MASTER_KEY', { ...production, MASTER_KEY: Buffer.alloc(16).toString('base64') }],
    ['MASTER_KEY_PREVIOUS', { MASTER_KEY_PREVIOUS: 'c2hvcnQ=' }],
    ['APPLE_PRIVATE_KEY', { ...production, APPLE_PRIVATE_KEY: 'secret' }],
    ['APPLE_TEAM_ID', { ...production, APPLE_TEAM_ID: '' }],
    ['APPLE_KEY_ID', { APPLE_CLIENT_IDS: 'com.example.app', APPLE_TEAM_ID: 'TEAM000001' }],
    ['RATE_LIMIT_SCALE', { ...production, RATE_LIMIT_SCALE: '1.5' }],
    ['RATE_LIMIT_SCALE', { RATE_LIMIT_SCALE: '0' }],
    ['TRUST_PROXY', { TRUST_PROXY: 'true' }],
    ['CORS_ORIGINS', { CORS_ORIGINS: '*' }],
    ['CORS_ORIGINS', { CORS_ORIGINS: 'https://app.example.com/' }],
    ['MIN_APP_BUILD', { MIN_APP_BUILD: '1.2' }],
    ['DEVICECHECK_MODE', { DEVICECHECK_MODE: 'on' }],
    ['DEVICECHECK_MODE', { APPLE_CLIENT_IDS: 'com.example.app', DEVICECHECK_MODE: 'monitor' }],
    [
      'DEVICECHECK_BASE_URL',
      { ...production, DEVICECHECK_BASE_URL: 'https://api.development.devicecheck.apple.com' },
    ],
    ['TARGETS', { TARGETS: '' }],
    ['PORT', { PORT: '65536' }],
    ['METRICS_PORT', { METRICS_PORT: 'x' }],
    ['METRICS_PORT', { PORT: '8080', METRICS_PORT: '8080' }],
  ])('refuses a wrong %s: %j', (name, env) => {
    expect(faultsOf(env).join('\n')).toContain(name);
  });

  it('starts no simulator beside settings for a real Apple', () => {
    expect(readConfig({ APPLE_CLIENT_IDS: 'com.example.app' }).apple.simulator).toBe(false);
    expect(readConfig({ APPLE_CLIENT_IDS: 'com.example.app', APPLE_SIMULATOR: 'on' }).apple.simulator).toBe(
      true,
    );
  });
});
