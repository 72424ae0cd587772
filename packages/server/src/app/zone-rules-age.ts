import { installedZoneRules, zoneRulesAgeMs, zoneRulesFault } from '../domain/zone-rules.ts';
import type { Clock } from '../platform/clock.ts';
import type { Logger } from '../platform/telemetry/logger.ts';
import type { Metrics } from '../platform/telemetry/metrics.ts';

/** Exposes the release and age of the zone rules as metrics, and logs one warning when they are older than a year. */
export const watchZoneRules = (deps: { clock: Clock; log: Logger; metrics: Metrics }): void => {
  const rules = installedZoneRules;
  deps.metrics.gauge({
    name: 'zone_rules_info',
    help: 'Always 1; the label is the release of the IANA time zone database in use',
    labels: ['version'],
  })({ version: rules.version }, 1);
  deps.metrics.watched(
    { name: 'zone_rules_age_seconds', help: 'Time since the zone rules in use were published' },
    () => zoneRulesAgeMs(rules, deps.clock.now()) / 1_000,
  );
  const fault = zoneRulesFault(rules, deps.clock.now());
  if (fault !== undefined) deps.log.warn({ event: 'zone_rules.outdated', ...rules }, fault);
};
