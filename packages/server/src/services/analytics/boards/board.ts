import type { Board, LeaderboardEntry } from '@pufftrack/contract';

/** The complete local days that boards look at. */
export const boardDays = 7;
const leastDays = 5;
const leastAccountDays = 7;

/** A complete local day as boards see it. */
export interface BoardDay {
  /** Units. */
  readonly count: number;
  readonly limit: number | null;
  readonly isConfirmed: boolean;
  /** Puffs were deleted from it more than 24 h after they happened. */
  readonly isTrimmed: boolean;
  /** It has puffs, and all of them arrived more than 48 h after they happened. */
  readonly isLateOnly: boolean;
  /** The person's word that there was nothing came more than 3 days after it. */
  readonly isCheckedInLate: boolean;
}

/** Whether boards count a day (domain.md D11): it is confirmed, and nothing makes it void. */
export const countsOnBoards = (day: BoardDay): boolean => {
  const isWordAlone = day.count === 0;
  return day.isConfirmed && !day.isTrimmed && !day.isLateOnly && !(isWordAlone && day.isCheckedInLate);
};

/** What a person's place on a board rests on. */
export interface BoardPerson {
  /** The last `boardDays` complete local days. */
  readonly days: readonly BoardDay[];
  /** Local days since the one on which the account was made. */
  readonly accountDays: number;
  /** The frozen one (board-baseline.ts), in units a day; undefined without. */
  readonly baseline: number | undefined;
}

type Reason = NonNullable<LeaderboardEntry['reason']>;
/** A value to be ranked by, or why there is none. Higher is better on every board. */
export type BoardScore = { readonly value: number } | { readonly reason: Reason };
export type BoardScores = Readonly<Record<Board, BoardScore>>;

/**
 * What a person reached on each board (domain.md D11). With the same days counted and the same baseline, more puffs
 * never give a higher value. Example: baseline 10; of the last seven days five count, with 0, 4, 4, 6 and 6 puffs under
 * a limit of 5: reduction 0.6, underLimitDays 3, puffFreeDays 1.
 *
 * The reason is the first that holds: too few days count, the account is young, nothing to compare with. A baseline of
 * 0 is nothing to compare with either.
 */
export const boardScoresOf = ({ days, accountDays, baseline }: BoardPerson): BoardScores => {
  const counted = days.filter(countsOnBoards);
  const reason = reasonNotTo(counted.length, accountDays);
  if (reason) return { reduction: { reason }, underLimitDays: { reason }, puffFreeDays: { reason } };
  const valueOf = (holds: (day: BoardDay) => boolean) => ({ value: counted.filter(holds).length });
  const mean = counted.reduce((sum, { count }) => sum + count, 0) / counted.length;
  return {
    reduction: baseline ? { value: reduction(mean, baseline) } : { reason: 'no-baseline' },
    underLimitDays: valueOf(({ count, limit }) => limit !== null && count <= limit),
    puffFreeDays: valueOf(({ count }) => count === 0),
  };
};

const reasonNotTo = (countedDays: number, accountDays: number): Reason | undefined => {
  if (countedDays < leastDays) return 'not-enough-data';
  return accountDays < leastAccountDays ? 'new-account' : undefined;
};

/** Share of the baseline that is left out, -1..1, two decimals. Mean 9 of 12: 0.25. */
const reduction = (mean: number, baseline: number): number => {
  const share = Math.max(-1, Math.min(1, 1 - mean / baseline));
  // `+ 0` turns -0 into 0.
  return Math.round(share * 100) / 100 + 0;
};

/** Somebody who is listed. */
export interface Listed {
  readonly userId: string;
  readonly name: string | null;
  readonly standing: BoardScore;
}

/**
 * A board from best to last, then those without a place. Who has the same value has the same rank, and the next one
 * stands after all of them: 1, 2, 2, 4. Among equals by name, so that every call shows the same order.
 */
export const rankEntries = (listed: readonly Listed[]): LeaderboardEntry[] => {
  const values = listed
    .flatMap(({ standing }) => ('value' in standing ? [standing.value] : []))
    .sort((a, b) => b - a);
  return listed
    .map(({ userId, name, standing }): LeaderboardEntry => {
      if ('reason' in standing) return { rank: null, userId, name, value: null, reason: standing.reason };
      const { value } = standing;
      return { rank: values.indexOf(value) + 1, userId, name, value };
    })
    .sort(inOrder);
};

const inOrder = (a: LeaderboardEntry, b: LeaderboardEntry): number =>
  (a.rank ?? Infinity) - (b.rank ?? Infinity) ||
  compare(a.name ?? '', b.name ?? '') ||
  compare(a.userId, b.userId);

const compare = (a: string, b: string): number => (a < b ? -1 : Number(a > b));
