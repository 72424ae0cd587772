import type { Connection } from 'mongoose';

interface Row {
  rev: number;
  kind: string;
  timestamp?: Date;
  wallDate: string;
  wallHour: number;
  quantity: number;
  deletedAt?: Date;
}

/**
 * What a person's state has to say, counted from the live records as they lie in the database. It knows no fold:
 * changes count by what they have made of their puffs, so a change that was not applied is seen.
 */
export const liveRecount = async (connection: Connection, person: string): Promise<object> => {
  const rows = (await connection
    .collection('puffrecords')
    .find({ person })
    .sort({ rev: 1 })
    .toArray()) as unknown as Row[];
  const clearedRev = Math.max(0, ...rows.filter(({ kind }) => kind === 'clear').map(({ rev }) => rev));
  const live = rows.filter(
    ({ kind, deletedAt, rev, timestamp }) =>
      kind === 'puff' && !deletedAt && rev > clearedRev && timestamp !== undefined,
  );
  const days: Record<string, number[]> = {};
  for (const { wallDate, wallHour, quantity } of live) {
    const hours = (days[wallDate] ??= new Array<number>(24).fill(0));
    hours[wallHour] = (hours[wallHour] ?? 0) + quantity;
  }
  return {
    rev: rows.length,
    total: live.reduce((sum, { quantity }) => sum + quantity, 0),
    records: live.length,
    lastPuffAt: live.length === 0 ? null : Math.max(...live.map(({ timestamp }) => Number(timestamp))),
    clearedRev,
    days,
  };
};
