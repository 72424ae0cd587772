import type { LogRecord, Sum, Values, View } from './store.ts';

/** A person's state as a fold of the log, and the naive recount that it must equal. */

export const dateCount = 6;
export const monthOf = (date: number): number => Math.floor(date / 2);

export interface Month {
  /** Everything of this month up to here is in `dates` already. */
  rev: number;
  dates: Map<number, Sum>;
}

export interface State {
  rev: number;
  total: Sum;
  clearedRev: number;
  months: Map<number, Month>;
  /** Month -> rev of its last change that no row holds yet. */
  dirty: Map<number, number>;
  /** Month -> the rev that its row has at least. */
  stored: Map<number, number>;
}

export const emptyState = (): State => ({
  rev: 0,
  total: { quantity: 0, live: 0 },
  clearedRev: 0,
  months: new Map(),
  dirty: new Map(),
  stored: new Map(),
});

const none: Sum = { quantity: 0, live: 0 };

export const plus = (a: Sum, b: Sum): Sum => ({ quantity: a.quantity + b.quantity, live: a.live + b.live });
export const minus = (a: Sum, b: Sum): Sum => ({ quantity: a.quantity - b.quantity, live: a.live - b.live });
export const sumOf = (values: Values): Sum =>
  values.deleted ? none : { quantity: values.quantity, live: 1 };

export const monthAt = (state: State, date: number): Month => {
  const name = monthOf(date);
  let month = state.months.get(name);
  if (month === undefined) {
    month = { rev: 0, dates: new Map() };
    state.months.set(name, month);
  }
  return month;
};

/** Sets a date's sum as of `rev`; says by how much it moved, nothing where the month's row was ahead of the fold. */
export const setDate = (
  state: State,
  { date, rev, skipCovered }: { date: number; rev: number; skipCovered: boolean },
  compute: (old: Sum) => Sum,
): Sum => {
  const month = monthAt(state, date);
  if (skipCovered && month.rev >= rev) return none;
  const old = month.dates.get(date) ?? none;
  const sum = compute(old);
  month.dates.set(date, sum);
  state.dirty.set(monthOf(date), rev);
  return minus(sum, old);
};

export const sumsByDate = (dates: Iterable<[number, Sum]>): string =>
  [...dates]
    .filter(([, sum]) => sum.live !== 0 || sum.quantity !== 0)
    .sort(([a], [b]) => a - b)
    .map(([date, sum]) => `${date}:${sum.live}/${sum.quantity}`)
    .join(' ');

const show = (rev: number, total: Sum, dates: Iterable<[number, Sum]>): string =>
  `rev ${rev}, total ${total.live}/${total.quantity}, dates ${sumsByDate(dates)}`;

export const showState = (state: State): string =>
  show(
    state.rev,
    state.total,
    [...state.months.values()].flatMap((month) => [...month.dates]),
  );

/** What each puff of the log is at `rev`, by the log alone. `visit` sees each record with the values just before it. */
export const valuesAt = (
  view: View,
  rev: number,
  visit?: (record: LogRecord, live: ReadonlyMap<string, Values>) => void,
): { all: Map<string, Values>; visible: Map<string, Values> } => {
  const all = new Map<string, Values>();
  let visible = new Map<string, Values>();
  for (let n = 1; n <= rev; n++) {
    const record = view.log.get(view.idOf.get(n) ?? '');
    if (record === undefined) continue;
    visit?.(record, visible);
    if (record.original !== undefined) {
      all.set(record.id, record.original);
      visible.set(record.id, record.original);
    } else if (record.entry?.kind === 'deleteAll') {
      visible = new Map();
    } else if (record.entry !== undefined) {
      all.set(record.entry.target, record.entry.after);
      visible.set(record.entry.target, record.entry.after);
    }
  }
  return { all, visible };
};

export const showRecount = (view: View, rev: number): string => {
  const dates = new Map<number, Sum>();
  let total = none;
  for (const values of valuesAt(view, rev).visible.values()) {
    total = plus(total, sumOf(values));
    dates.set(values.date, plus(dates.get(values.date) ?? none, sumOf(values)));
  }
  return show(rev, total, dates);
};
