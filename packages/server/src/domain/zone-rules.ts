import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { dayMs } from './durations.ts';
import type { PackedZones } from './zone-tables.ts';

/** Which zone rules are in use. */
export interface ZoneRules {
  /** The release of the IANA time zone database, like `2026f`. */
  readonly version: string;
  /** The day on which the package that carries them was published, `YYYY-MM-DD`. */
  readonly publishedOn: string;
}

const require = createRequire(import.meta.url);

/** The rules that came with the installed moment-timezone. */
export const installedZones = require('moment-timezone/data/packed/latest.json') as PackedZones;

/**
 * The date of the newest entry of a changelog of moment-timezone that names a release of the rules. Without such an entry
 * the first day of the release's year: then the rules count as older than they are, never as newer.
 */
export const publicationOf = (version: string, changelog: string): string => {
  const entry = changelog.split(/^### /m).find((text) => text.includes(`\`${version}\``));
  return /_(\d{4}-\d{2}-\d{2})_/.exec(entry ?? '')?.[1] ?? `${version.slice(0, 4)}-01-01`;
};

const installedChangelog = (): string => {
  try {
    return readFileSync(
      join(dirname(require.resolve('moment-timezone/package.json')), 'changelog.md'),
      'utf8',
    );
  } catch {
    return '';
  }
};

export const installedZoneRules: ZoneRules = {
  version: installedZones.version,
  publishedOn: publicationOf(installedZones.version, installedChangelog()),
};

const yearMs = 365 * dayMs;

/** Time (ms) since the rules were published. */
export const zoneRulesAgeMs = ({ publishedOn }: ZoneRules, now: number): number =>
  now - Date.parse(publishedOn);

/** What is wrong with rules that are older than a year, and what to do; undefined for newer ones. `now` in ms. */
export const zoneRulesFault = (rules: ZoneRules, now: number): string | undefined =>
  zoneRulesAgeMs(rules, now) > yearMs
    ? `The time zone rules ${rules.version} were published on ${rules.publishedOn}, more than a year ago. Countries change their clocks several times a year: update moment-timezone.`
    : undefined;
