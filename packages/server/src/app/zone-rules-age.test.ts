import { describe, expect, it } from '@jest/globals';
import { pino } from 'pino';
import { dayMs } from '../domain/durations.ts';
import { installedZoneRules } from '../domain/zone-rules.ts';
import { createMetrics } from '../platform/telemetry/metrics.ts';
import { watchZoneRules } from './zone-rules-age.ts';

const published = Date.parse(installedZoneRules.publishedOn);

describe('watchZoneRules', () => {
  const startedAt = async (now: number) => {
    const lines: string[] = [];
    const metrics = createMetrics();
    const clock = { now: () => now };
    watchZoneRules({ clock, metrics, log: pino({}, { write: (line: string) => lines.push(line) }) });
    return { warnings: lines.map((line) => JSON.parse(line) as object), text: await metrics.text() };
  };

  it('logs one warning with the release and its date when the rules are older than a year', async () => {
    const { warnings } = await startedAt(published + 366 * dayMs);
    expect(warnings).toMatchObject([{ level: 40, event: 'zone_rules.outdated', ...installedZoneRules }]);
    expect((await startedAt(published + 364 * dayMs)).warnings).toEqual([]);
  });

  it('exposes the release and the age as metrics', async () => {
    const { text } = await startedAt(published + 10 * dayMs);
    expect(text).toContain(`pufftrack_zone_rules_info{version="${installedZoneRules.version}"} 1`);
    expect(text).toContain(`pufftrack_zone_rules_age_seconds ${10 * 86_400}`);
  });
});
