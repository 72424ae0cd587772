import { systemClock } from './platform/clock.ts';
import { installedZoneRules, zoneRulesFault } from './domain/zone-rules.ts';

// `npm run zones`: fails where the installed zone rules are older than a year.
const fault = zoneRulesFault(installedZoneRules, systemClock.now());
const { version, publishedOn } = installedZoneRules;
process.stdout.write(`${fault ?? `Time zone rules ${version}, published on ${publishedOn}.`}\n`);
process.exitCode = fault === undefined ? 0 : 1;
