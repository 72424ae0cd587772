import type { Client } from '@pufftrack/client';
import type { Puff, UserStats } from '@pufftrack/contract';

/** Every puff that the server holds of this person, page by page. */
export const allPuffs = async (client: Client): Promise<Puff[]> => {
  const puffs: Puff[] = [];
  let cursor: string | null = null;
  do {
    const page: { puffs: Puff[]; nextCursor: string | null } = await client.call('listPuffs', {
      query: { limit: '100', ...(cursor !== null && { cursor }) },
    });
    puffs.push(...page.puffs);
    cursor = page.nextCursor;
  } while (cursor !== null);
  return puffs;
};

/** The date on the wall, by a time library that the server does not use. */
const wallDate = (instant: number | string, timeZone: string): string =>
  new Intl.DateTimeFormat('en-CA', { timeZone, dateStyle: 'short' }).format(new Date(instant));

const dayBefore = (day: string): string =>
  new Date(Date.parse(`${day}T00:00:00Z`) - 86_400_000).toISOString().slice(0, 10);

export interface Recount {
  today: number;
  total: number;
  puffFreeDays: number;
  byDay: ReadonlyMap<string, number>;
}

/** The same figures from the raw puffs, for days that start at midnight. */
export const recountOf = (puffs: readonly Puff[], timeZone: string, now: number): Recount => {
  const byDay = new Map<string, number>();
  for (const puff of puffs) {
    const day = wallDate(puff.timestamp, puff.timeZone);
    byDay.set(day, (byDay.get(day) ?? 0) + puff.quantity);
  }
  const today = wallDate(now, timeZone);
  let puffFreeDays = 0;
  if (!byDay.has(today) && byDay.size > 0)
    for (let day = dayBefore(today); !byDay.has(day); day = dayBefore(day)) puffFreeDays += 1;
  return {
    today: byDay.get(today) ?? 0,
    total: [...byDay.values()].reduce((sum, count) => sum + count, 0),
    puffFreeDays,
    byDay,
  };
};

/** What differs between the server's figures and the recount; empty where they agree. */
export const differences = (stats: UserStats, recount: Recount): string[] =>
  (
    [
      ['today', stats.dailyPuffCount, recount.today],
      ['total', stats.totalPuffCount, recount.total],
      ['puff-free days', stats.streaks.puffFreeDays.current, recount.puffFreeDays],
    ] as const
  )
    .filter(([, reported, counted]) => reported !== counted)
    .map(([name, reported, counted]) => `${name}: the server reports ${reported}, the puffs are ${counted}`);
