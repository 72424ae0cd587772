import { localDayOf, monthOf, type DayNumber } from '../../../domain/local-day.ts';
import { maxQuantityPerDay, type NewPuff, type RecordedPuff } from '../domain/puff.ts';
import type { PuffState } from '../state/puff-state.ts';

/** What became of one puff. */
export type Outcome =
  | { readonly status: 'created'; readonly puff: RecordedPuff }
  | { readonly status: 'duplicate' }
  | { readonly status: 'day-full' };

export interface AppendAnswer {
  /** In the order of the puffs. */
  readonly outcomes: readonly Outcome[];
  /** The person's state; it counts every puff that was created here. */
  readonly state: PuffState;
}

/** A call of `append`: it is answered when all its items are. */
export interface Request {
  readonly size: number;
  readonly outcomes: Outcome[];
  open: number;
  resolve(answer: AppendAnswer): void;
  reject(error: unknown): void;
}

/** One puff of a request, waiting for its outcome. */
export interface Item {
  readonly person: string;
  readonly puff: NewPuff;
  readonly dayStartHour: number;
  readonly request: Request;
  readonly position: number;
  /** The log was asked for this id and did not have it. */
  checked: boolean;
  /** How often its number was lost to another process. */
  attempts: number;
}

/** Work that a person's log must have to itself: no puff of theirs is under way here while it runs. */
export interface Turn {
  readonly person: string;
  /** Never rejects. */
  readonly run: () => Promise<void>;
  readonly reject: (error: unknown) => void;
}

export const isTurn = (waiting: Item | Turn): waiting is Turn => 'run' in waiting;

/** What one person has in a group: puffs with the numbers they try for, ascending. */
export interface PersonWrite {
  readonly person: string;
  readonly state: PuffState;
  readonly numbered: readonly { readonly item: Item; readonly puff: RecordedPuff }[];
}

export interface Plan extends PersonWrite {
  /** No room on their day. */
  readonly full: readonly Item[];
  /** The same id stands earlier in this group. */
  readonly repeated: readonly Item[];
}

/**
 * So many puffs of one person that came each alone go in unchecked; more at once are a phone that empties its queue, and
 * may well be known.
 */
const maxUnchecked = 16;

/**
 * Those that may take numbers now. A puff that came alone is most likely new, and a known id costs an empty record at
 * the worst; of a batch each known id would, so the log is asked first.
 */
export const readyOf = (items: readonly Item[]): readonly Item[] =>
  items.length <= maxUnchecked && items.every(({ checked, request }) => checked || request.size === 1)
    ? items
    : items.filter(({ checked }) => checked);

/** The wall months that the bound of an item's local day is read from. */
export const monthsOfDay = ({ puff, dayStartHour }: Item): string[] => {
  const day = localDayOf(puff.wall, dayStartHour);
  return [monthOf(day), monthOf(day + 1)];
};

/** Numbers a person's puffs after the state's own, each id once, each day up to its bound. */
export const planWrite = (person: string, state: PuffState, items: readonly Item[]): Plan => {
  const plan = {
    person,
    state,
    numbered: [] as { item: Item; puff: RecordedPuff }[],
    full: [] as Item[],
    repeated: [] as Item[],
  };
  const ids = new Set<string>();
  const added = new Map<DayNumber, number>();
  for (const item of items) {
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

/** At most 5,000 of quantity on one local day; two processes together may pass it by what is in flight. */
export const dayIsFull = (state: PuffState, item: Item, planned = 0): boolean =>
  state.countOn(localDayOf(item.puff.wall, item.dayStartHour), item.dayStartHour) +
    planned +
    item.puff.quantity >
  maxQuantityPerDay;
