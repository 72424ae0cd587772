import { describe, expect, it } from '@jest/globals';
import { dayMs } from './durations.ts';
import { installedZoneRules, publicationOf, zoneRulesFault } from './zone-rules.ts';

const published = Date.parse(installedZoneRules.publishedOn);

describe('the publication of zone rules', () => {
  const changelog = [
    '### `0.6.7` _2026-12-01_\n* Fixed the parser.\n',
    '### `0.6.6` _2026-10-29_\n* Updated data to IANA TZDB `2026f`. [#1169](https://x)\n',
    '### `0.6.5` _2026-10-02_\n* Updated data to IANA TZDB `2026e`.\n',
  ].join('\n');

  it.each([
    ['2026f', '2026-10-29'],
    ['2026e', '2026-10-02'],
    // Without an entry the rules count as older than they are.
    ['2026g', '2026-01-01'],
  ])('of %s is %s', (version, expected) => {
    expect(publicationOf(version, changelog)).toBe(expected);
  });

  it('stands in the changelog of the installed package', () => {
    expect(installedZoneRules.version).toMatch(/^\d{4}[a-z]+$/);
    expect(installedZoneRules.publishedOn).toMatch(new RegExp(`^${installedZoneRules.version.slice(0, 4)}-`));
    expect(installedZoneRules.publishedOn).not.toMatch(/-01-01$/);
  });
});

describe('zone rules that get old', () => {
  it.each([
    [0, false],
    [365, false],
    [366, true],
    [2_000, true],
  ])('%i days after their publication: outdated %s', (days, isOutdated) => {
    const fault = zoneRulesFault(installedZoneRules, published + days * dayMs);
    expect(fault === undefined).toBe(!isOutdated);
    expect(fault ?? 'update moment-timezone').toContain('update moment-timezone');
  });
});
