import { localDayOf, monthOf, type DayNumber } from '../../../domain/local-day.ts';
import { maxQuantityPerDay, type RecordedPuff } from '../domain/puff.ts';
import type { PuffState } from '../state/puff-state.ts';
import type { PendingPuff } from './pending.ts';

/** One person's part of a group: puffs with the numbers that they claim, ascending. */
export interface PersonWrite {
  readonly person: string;
  readonly state: PuffState;
  readonly numbered: readonly { readonly item: PendingPuff; readonly puff: RecordedPuff }[];
}

export interface WritePlan extends PersonWrite {
  /** Puffs that exceed the daily maximum. */
  readonly full: readonly PendingPuff[];
  /** The same id stands earlier in this group. */
  readonly repeated: readonly PendingPuff[];
  /** Puffs of batches whose ids have to be queried first. */
  readonly unchecked: readonly PendingPuff[];
}

export const byPerson = <Item extends { readonly person: string }>(
  items: readonly Item[],
): Map<string, Item[]> => {
  const people = new Map<string, Item[]>();
  for (const item of items) {
    const own = people.get(item.person);
    if (own) own.push(item);
    else people.set(item.person, [item]);
  }
  return people;
};

/**
 * Numbers a person's puffs after the state's own number: each id once, each day up to its maximum. Undefined where a
 * query has to come first, for the ids or for the state.
 */
export const planWrite = (
  person: string,
  state: PuffState | undefined,
  items: readonly PendingPuff[],
): WritePlan | undefined => {
  const ready = readyOf(items);
  if (!state || ready.length === 0 || ready.some((item) => !isReady(state, item))) return undefined;
  const plan = {
    person,
    state,
    numbered: [] as { item: PendingPuff; puff: RecordedPuff }[],
    full: [] as PendingPuff[],
    repeated: [] as PendingPuff[],
    unchecked: ready === items ? [] : items.filter((item) => !ready.includes(item)),
  };
  const ids = new Set<string>();
  const added = new Map<DayNumber, number>();
  for (const item of ready) {
    const day = localDayOf(item.puff.wall, item.dayStartHour);
    const planned = added.get(day) ?? 0;
    if (ids.has(item.puff.id)) {
      plan.repeated.push(item);
    } else if (dayIsFull(state, item, planned)) {
      plan.full.push(item);
    } else {
      ids.add(item.puff.id);
      added.set(day, planned + item.puff.quantity);
      plan.numbered.push({ item, puff: { ...item.puff, rev: state.rev + plan.numbered.length + 1 } });
    }
  }
  return plan;
};

/** At most this many single puffs of one person are written unchecked; more at once are a resent offline queue. */
const maxUnchecked = 16;

/**
 * Puffs that may take numbers without a query. A single puff is most likely new, and a known id costs one empty record;
 * in a batch every known id would, so its ids are queried first.
 */
const readyOf = (items: readonly PendingPuff[]): readonly PendingPuff[] =>
  items.length <= maxUnchecked && items.every(({ checked, request }) => checked || request.size === 1)
    ? items
    : items.filter(({ checked }) => checked);

/** Whether the count of its day is loaded, and a full day is no reason to query the log for its id first. */
export const isReady = (state: PuffState, item: PendingPuff): boolean =>
  monthsOfDay(item).every((month) => state.isMonthLoaded(month)) && (item.checked || !dayIsFull(state, item));

/** The wall months that the count of the puff's local day is read from. */
export const monthsOfDay = ({ puff, dayStartHour }: PendingPuff): string[] => {
  const day = localDayOf(puff.wall, dayStartHour);
  return [monthOf(day), monthOf(day + 1)];
};

/** Two processes together may exceed the daily maximum by what is in flight. */
const dayIsFull = (state: PuffState, item: PendingPuff, planned = 0): boolean =>
  state.countOn(localDayOf(item.puff.wall, item.dayStartHour), item.dayStartHour) +
    planned +
    item.puff.quantity >
  maxQuantityPerDay;
