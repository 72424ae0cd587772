import { describe, expect, it } from '@jest/globals';
import { fitted, maxPayloadBytes, pushPayload } from './push-payload.ts';
import { pushTexts } from './push-texts.ts';

/** What no lock screen shows (PUSH-7), and what would urge anybody to use (App Review 1.4.3). */
const forbidden =
  /\d|puff|vap(e|ing)|smok|cigar|nicotin|tobacco|quit|relaps|lapse|crav|streak|limit|health|abstin|addict|withdraw|clean|sober/i;

const request = {
  id: 'n'.repeat(26),
  seq: 7,
  category: 'friend-request' as const,
  kind: 'friend-requested' as const,
  data: { userId: 'u', name: 'Sam' },
};
interface Payload {
  aps: { alert: { 'loc-key': string; 'loc-args'?: string[] } };
}
const alertOf = (payload: string) => (JSON.parse(payload) as Payload).aps.alert;

describe('the text of a push', () => {
  it.each(Object.entries(pushTexts))('%s contains no number and no health term', (_kind, texts) => {
    for (const text of Object.values(texts) as string[]) expect(text).not.toMatch(forbidden);
    expect(texts.discreet).not.toContain('%@');
  });

  it('contains no name unless the recipient has allowed it', () => {
    const discreet = pushPayload(request, true);
    expect(alertOf(discreet)).toEqual({ 'loc-key': pushTexts['friend-requested'].discreet });
    expect(discreet).not.toContain('Sam');
    expect(alertOf(pushPayload(request, false))).toEqual({
      'loc-key': pushTexts['friend-requested'].open,
      'loc-args': ['Sam'],
    });
  });

  it('fits into 4,096 bytes, and is cut between characters', () => {
    const build = (args: readonly string[]) => `${'x'.repeat(4_000)}${args.join('')}`;
    expect(fitted(['y'.repeat(96)], build)).toHaveLength(maxPayloadBytes);
    expect(fitted(['y'.repeat(97)], build)).toHaveLength(maxPayloadBytes);
    const party = fitted(['🎉'.repeat(30)], build);
    expect(Buffer.byteLength(party)).toBe(maxPayloadBytes);
    expect(party.endsWith('🎉')).toBe(true);
    expect(() => fitted([], () => 'x'.repeat(4_097))).toThrow(RangeError);
    const long = pushPayload({ ...request, data: { name: '👩‍🚀'.repeat(2_000) } }, false);
    expect(Buffer.byteLength(long)).toBeLessThanOrEqual(maxPayloadBytes);
    expect(long).not.toMatch(/\p{Surrogate}/u);
  });
});
