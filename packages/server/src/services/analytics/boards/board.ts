import type { Board, LeaderboardEntry } from '@pufftrack/contract';

/** The number of complete local days that boards evaluate. */
export const boardDays = 7;
const leastDays = 5;
const leastAccountDays = 7;

/** A complete local day as boards evaluate it. */
export interface BoardDay {
  /** Units. */
  readonly count: number;
  readonly limit: number | null;
  readonly isConfirmed: boolean;
  /** Puffs were removed from it more than 24 h after they happened. */
  readonly hasLateRemovals: boolean;
  /** It has puffs, and all of them were received more than 48 h after they happened. */
  readonly isLateOnly: boolean;
  /** Its check-in was given more than 3 days after it. */
  readonly isCheckedInLate: boolean;
}

/** Whether a day counts on boards (domain.md D11): it is confirmed and not void. */
export const countsOnBoards = (day: BoardDay): boolean => {
  const isCheckInOnly = day.count === 0;
  return (
    day.isConfirmed && !day.hasLateRemovals && !day.isLateOnly && !(isCheckInOnly && day.isCheckedInLate)
  );
};

/** The inputs of a person's scores. */
export interface BoardPerson {
  /** The last `boardDays` complete local days. */
  readonly days: readonly BoardDay[];
  /** Local days since the sign-up. */
  readonly accountDays: number;
  /** The frozen baseline (board-baseline.ts) in units a day; undefined without one. */
  readonly baseline: number | undefined;
}

type Reason = NonNullable<LeaderboardEntry['reason']>;
/** The value that ranks a person, or the reason why there is none. Higher is better on every board. */
export type BoardScore = { readonly value: number } | { readonly reason: Reason };
export type BoardScores = Readonly<Record<Board, BoardScore>>;

/**
 * A person's scores on all boards (domain.md D11). With the same counted days and the same baseline, more puffs never give
 * a higher value. Example: baseline 10; five of the last seven days count, with 0, 4, 4, 6 and 6 puffs and a limit of 5:
 * reduction 0.6, underLimitDays 3, puffFreeDays 1.
 *
 * The reason is the first one that applies: too few counted days, a new account, no baseline. A baseline of 0 is no
 * baseline.
 */
export const boardScoresOf = ({ days, accountDays, baseline }: BoardPerson): BoardScores => {
  const counted = days.filter(countsOnBoards);
  const reason = unrankedReason(counted.length, accountDays);
  if (reason) return { reduction: { reason }, underLimitDays: { reason }, puffFreeDays: { reason } };
  const valueOf = (holds: (day: BoardDay) => boolean) => ({ value: counted.filter(holds).length });
  const mean = counted.reduce((sum, { count }) => sum + count, 0) / counted.length;
  return {
    reduction: baseline ? { value: reduction(mean, baseline) } : { reason: 'no-baseline' },
    underLimitDays: valueOf(({ count, limit }) => limit !== null && count <= limit),
    puffFreeDays: valueOf(({ count }) => count === 0),
  };
};

const unrankedReason = (countedDays: number, accountDays: number): Reason | undefined => {
  if (countedDays < leastDays) return 'not-enough-data';
  return accountDays < leastAccountDays ? 'new-account' : undefined;
};

/** The reduction against the baseline, -1..1, two decimals. Mean 9 of 12: 0.25. */
const reduction = (mean: number, baseline: number): number => {
  const share = Math.max(-1, Math.min(1, 1 - mean / baseline));
  // `+ 0` turns -0 into 0.
  return Math.round(share * 100) / 100 + 0;
};

/** A person on a board. */
export interface Listed {
  readonly userId: string;
  readonly name: string | null;
  readonly score: BoardScore;
}

/**
 * The entries from the best rank to the last, then those without a rank. Equal values share a rank: 1, 2, 2, 4. They are
 * ordered by name, so that every call returns the same order.
 */
export const rankEntries = (listed: readonly Listed[]): LeaderboardEntry[] => {
  const values = listed.flatMap(({ score }) => ('value' in score ? [score.value] : [])).sort((a, b) => b - a);
  return listed
    .map(({ userId, name, score }): LeaderboardEntry => {
      if ('reason' in score) return { rank: null, userId, name, value: null, reason: score.reason };
      const { value } = score;
      return { rank: values.indexOf(value) + 1, userId, name, value };
    })
    .sort(inOrder);
};

const inOrder = (a: LeaderboardEntry, b: LeaderboardEntry): number =>
  (a.rank ?? Infinity) - (b.rank ?? Infinity) ||
  compare(a.name ?? '', b.name ?? '') ||
  compare(a.userId, b.userId);

const compare = (a: string, b: string): number => (a < b ? -1 : Number(a > b));
