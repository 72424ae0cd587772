import type { Purpose } from '@pufftrack/contract';

/** The versions in force of the texts that a consent names. A new material version requires a new consent (PRIV-1). */
export const legalVersions: Readonly<Record<Purpose, string>> = {
  terms: '2026-11-01',
  'health-processing': '2026-11-01',
  'friends-sharing': '2026-11-01',
  leaderboard: '2026-11-01',
  push: '2026-11-01',
  insights: '2026-11-01',
};
