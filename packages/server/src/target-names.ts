/** The values of `TARGETS`. What each target exposes: app/targets.ts. */
export const targetNames = [
  'auth',
  'users',
  'puffs',
  'analytics',
  'notifications',
  'coaching',
  'web',
] as const;
export type TargetName = (typeof targetNames)[number];
