import { describe, expect, it } from '@jest/globals';
import { apnsOutcome } from './apns-outcome.ts';

const body = (reason: string, timestamp?: number) => JSON.stringify({ reason, timestamp });

describe('apnsOutcome (PUSH-4)', () => {
  it.each([
    [200, '', { kind: 'sent' }],
    [400, body('BadDeviceToken'), { kind: 'bad-device' }],
    [400, body('DeviceTokenNotForTopic'), { kind: 'refused', reason: '400 DeviceTokenNotForTopic' }],
    [400, body('BadTopic'), { kind: 'refused', reason: '400 BadTopic' }],
    [400, body('IdleTimeout'), { kind: 'retry', reason: '400 IdleTimeout' }],
    [403, body('ExpiredProviderToken'), { kind: 'token-expired' }],
    [403, body('InvalidProviderToken'), { kind: 'halt', reason: '403 InvalidProviderToken' }],
    [403, body('MissingProviderToken'), { kind: 'halt', reason: '403 MissingProviderToken' }],
    [403, body('Forbidden'), { kind: 'refused', reason: '403 Forbidden' }],
    [404, body('BadPath'), { kind: 'refused', reason: '404 BadPath' }],
    [410, body('Unregistered', 1_700_000_000_000), { kind: 'gone', since: 1_700_000_000_000 }],
    [410, body('ExpiredToken', 5), { kind: 'gone', since: 5 }],
    [413, body('PayloadTooLarge'), { kind: 'refused', reason: '413 PayloadTooLarge' }],
    [429, body('TooManyRequests'), { kind: 'retry', reason: '429 TooManyRequests' }],
    [429, body('TooManyProviderTokenUpdates'), { kind: 'too-many-tokens' }],
    [500, body('InternalServerError'), { kind: 'retry', reason: '500 InternalServerError' }],
    [503, '<html>', { kind: 'retry', reason: '503' }],
  ])('%i %s', (status, text, outcome) => {
    expect(apnsOutcome({ status, body: text })).toEqual(outcome);
  });

  it('waits for the Retry-After of APNs, at most one hour, and ignores invalid values', () => {
    const waits = (retryAfter: string) => apnsOutcome({ status: 429, body: '', retryAfter });
    expect(waits('30')).toMatchObject({ afterMs: 30_000 });
    expect(waits('0')).toMatchObject({ afterMs: 1_000 });
    expect(waits('999999')).toMatchObject({ afterMs: 3_600_000 });
    expect(waits('tomorrow')).not.toHaveProperty('afterMs');
    expect(apnsOutcome({ status: 410, body: '{"timestamp":"x"}' })).toEqual({
      kind: 'gone',
      since: undefined,
    });
    expect(apnsOutcome({ status: 400, body: '[null]' })).toMatchObject({ kind: 'refused' });
  });
});
