import type { Connection } from 'mongoose';

interface Values {
  timestamp: Date;
  wallDate: string;
  wallHour: number;
  quantity: number;
  deletedAt?: Date;
}

interface Row extends Partial<Values> {
  rev: number;
  kind: string;
  receivedAt: Date;
  cameLate?: boolean;
  at?: Date;
  _id: string;
  target?: string;
  before?: Values;
  after?: Values;
}

const hourMs = 3_600_000;

const rowsOf = async (connection: Connection, person: string): Promise<Row[]> =>
  (await connection
    .collection('puffrecords')
    .find({ person })
    .sort({ rev: 1 })
    .toArray()) as unknown as Row[];

const clearedRevOf = (rows: readonly Row[]) =>
  Math.max(0, ...rows.filter(({ kind }) => kind === 'clear').map(({ rev }) => rev));

/**
 * What a person's state has to say, counted from the live records as they lie in the database. It knows no fold:
 * changes count by what they have made of their puffs, so a change that was not applied is seen.
 */
export const liveRecount = async (connection: Connection, person: string): Promise<object> => {
  const rows = await rowsOf(connection, person);
  const clearedRev = clearedRevOf(rows);
  const live = rows.filter(
    (row): row is Row & Values =>
      row.kind === 'puff' && !row.deletedAt && row.rev > clearedRev && row.timestamp !== undefined,
  );
  const days: Record<string, { hours: number[]; onTimeHours: number; first: number; last: number }> = {};
  for (const { wallDate, wallHour, quantity, timestamp, receivedAt, cameLate } of live) {
    const at = Number(timestamp);
    const day = (days[wallDate] ??= {
      hours: new Array<number>(24).fill(0),
      onTimeHours: 0,
      first: at,
      last: at,
    });
    day.hours[wallHour] = (day.hours[wallHour] ?? 0) + quantity;
    if (!(cameLate ?? Number(receivedAt) - at > 48 * hourMs)) day.onTimeHours |= 2 ** wallHour;
    day.first = Math.min(day.first, at);
    day.last = Math.max(day.last, at);
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

/**
 * Those of these local days from which a change took something more than 24 h after it happened that does not stand there
 * again, by the entries as they lie; a deletion of all takes from every day that may have begun by then.
 */
export const trimmedDays = async (
  connection: Connection,
  person: string,
  { dayStartHour, days }: { dayStartHour: number; days: readonly number[] },
): Promise<number[]> => {
  const rows = await rowsOf(connection, person);
  const cleared = Math.max(
    -Infinity,
    ...rows.flatMap(({ kind, at }) => (kind === 'clear' ? [Number(at)] : [])),
  );
  const dayOf = ({ wallDate, wallHour }: Values) =>
    Date.parse(wallDate) / (24 * hourMs) - (wallHour < dayStartHour ? 1 : 0);
  const trimmed = new Set<number>();
  for (const { kind, rev, at, target, before, after } of rows) {
    if (kind !== 'change' || rev <= clearedRevOf(rows) || !before || !after || before.deletedAt) continue;
    if (Number(at) - Number(before.timestamp) <= 24 * hourMs) continue;
    const hasAsMuch = (puff: Partial<Values>): puff is Values =>
      !puff.deletedAt && puff.wallDate === before.wallDate && (puff.quantity ?? 0) >= before.quantity;
    if (hasAsMuch(after) && after.wallHour === before.wallHour) continue;
    const now = rows.find(({ _id }) => _id === `${person}:${target}`);
    if (!now || !hasAsMuch(now) || dayOf(now) !== dayOf(before)) trimmed.add(dayOf(before));
  }
  return days
    .filter((day) => trimmed.has(day) || day * 24 * hourMs - 16 * hourMs < cleared - 24 * hourMs)
    .sort((a, b) => a - b);
};
