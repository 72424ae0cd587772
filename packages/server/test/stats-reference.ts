import type { DayStatus, GoalInput, Streak } from '@pufftrack/contract';

/**
 * The rules of domain.md once more, for tests: slow and obvious, over raw puffs, day by day, with date arithmetic of its
 * own (Intl, where the server uses Luxon). It shares nothing with the code that it checks. Days are numbers since
 * 1970-01-01.
 */
export interface ReferenceWorld {
  readonly now: number;
  readonly dayStartHour: number;
  readonly weekStart: 'monday' | 'sunday';
  /** Where the person was from when on; the first also before. On a grid of 15 minutes. */
  readonly zones: readonly { timeZone: string; from: number }[];
  readonly puffs: readonly { timestamp: number; timeZone: string; quantity: number }[];
  readonly checkIns: readonly number[];
  /** Goals as they were sent, in the order of setting; `at` in ms. */
  readonly goals: readonly { at: number; input: GoalInput }[];
}

export interface ReferenceStats {
  today: number;
  counts: { day: number; week: number; month: number; total: number };
  limit: number | null;
  status: Map<number, DayStatus>;
  limits: Map<number, number | null>;
  puffFreeDays: Streak;
  underLimitDays: Streak;
  abstinenceSeconds: number | null;
  bestAbstinence: number | null;
  /** Null without a puff today. */
  longestGapToday: number | null;
  average7: number | null;
  average30: number | null;
  /** Unrounded. */
  changeVsPreviousWeek: number | null;
}

const quarterMs = 15 * 60_000;
const dayMs = 86_400_000;

const formats = new Map<string, Intl.DateTimeFormat>();
const walls = new Map<string, Map<number, { day: number; hour: number }>>();

const wallAt = (timeZone: string, instant: number): { day: number; hour: number } => {
  // Offsets lie on a grid of 15 minutes, and so does every change of the wall's hour.
  const slot = Math.floor(instant / quarterMs) * quarterMs;
  const zone = walls.get(timeZone) ?? new Map<number, { day: number; hour: number }>();
  walls.set(timeZone, zone);
  const known = zone.get(slot);
  if (known) return known;
  const format =
    formats.get(timeZone) ??
    new Intl.DateTimeFormat('en-US', {
      timeZone,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
    });
  formats.set(timeZone, format);
  const parts = Object.fromEntries(
    format.formatToParts(new Date(slot)).map(({ type, value }) => [type, Number(value)]),
  ) as Record<'year' | 'month' | 'day' | 'hour', number>;
  const wall = { day: Date.UTC(parts.year, parts.month - 1, parts.day) / dayMs, hour: parts.hour };
  zone.set(slot, wall);
  return wall;
};

export const referenceDay = (timeZone: string, instant: number, dayStartHour: number): number => {
  const { day, hour } = wallAt(timeZone, instant);
  return hour < dayStartHour ? day - 1 : day;
};

const zoneAt = (world: ReferenceWorld, instant: number): string => {
  let found = world.zones[0]?.timeZone ?? 'UTC';
  for (const { timeZone, from } of world.zones) if (from <= instant) found = timeZone;
  return found;
};

/** One goal as the days after it see it. */
interface Aim {
  own: number | null;
  quitAt: number | null;
  quitDay: number | null;
  plan: GoalInput['plan'];
  planDay: number | null;
}

const curve = (plan: NonNullable<GoalInput['plan']>, day: number): number => {
  const [b, t, n] = [plan.baseline ?? 0, plan.target, plan.lengthDays];
  if (day >= n) return t;
  if (plan.curve === 'linear') return Math.ceil(b - ((b - t) * day) / n);
  if (plan.curve === 'step7') return Math.ceil(b - ((b - t) * (day - (day % 7))) / n);
  const exact = b * Math.pow(Math.max(t, 0.5) / b, day / n);
  return Math.abs(exact - Math.round(exact)) < 1e-9 ? Math.round(exact) : Math.ceil(exact);
};

const aimOf = (
  world: ReferenceWorld,
  { at, input }: { at: number; input: GoalInput },
  last: Aim | null,
): Aim => {
  const quitAt =
    input.mode !== 'quit' ? null : input.quitAt ? Date.parse(input.quitAt) : (last?.quitAt ?? at);
  const dayAt = (instant: number) =>
    referenceDay(zoneAt(world, Math.min(instant, at)), instant, world.dayStartHour);
  return {
    own: input.dailyLimit ?? null,
    quitAt,
    quitDay: quitAt === null ? null : dayAt(quitAt),
    plan: input.plan,
    planDay: input.plan ? Date.parse(input.plan.startDay) / dayMs : null,
  };
};

const limitBy = ({ own, quitDay, plan, planDay }: Aim, day: number): number | null => {
  if (quitDay !== null && day >= quitDay) return 0;
  if (plan && planDay !== null && day >= planDay) return curve(plan, day - planDay);
  return own;
};

/** The first day of which an aim says something; -Infinity where it says something of every day. */
const startOf = ({ own, quitDay, planDay }: Aim): number => {
  const starts = [quitDay, planDay].filter((day) => day !== null);
  return own !== null || starts.length === 0 ? -Infinity : Math.min(...starts);
};

/** An aim of which everything that has not begun by a day is given up. */
const withoutLater = (aim: Aim, day: number): Aim => ({
  ...aim,
  ...(aim.quitDay !== null && aim.quitDay > day && { quitAt: null, quitDay: null }),
  ...(aim.planDay !== null && aim.planDay > day && { plan: null, planDay: null }),
});

/** The aim of each day. One that is to begin later takes the place of all that was to begin. */
const aimsOf = (world: ReferenceWorld, firstDay: number, lastDay: number): Map<number, Aim> => {
  let said: { aim: Aim; from: number }[] = [];
  const aimOn = (day: number) => said.findLast(({ from }) => from <= day)?.aim;
  const limitOn = (day: number) => {
    const aim = aimOn(day);
    return aim ? limitBy(aim, day) : null;
  };
  let last: Aim | null = null;
  let lastWords = '';
  for (const goal of world.goals) {
    const aim: Aim = aimOf(world, goal, last);
    // Who says the same again says nothing new, also where it is another day by now.
    const words = JSON.stringify([goal.input.mode, aim.own, aim.quitAt, aim.plan]);
    if (words === lastWords) continue;
    lastWords = words;
    const setOn = referenceDay(zoneAt(world, goal.at), goal.at, world.dayStartHour);
    const limitNow = limitOn(setOn);
    let everLimited = false;
    for (let day = firstDay; day <= setOn; day++) everLimited ||= limitOn(day) !== null;
    let from = setOn;
    if (startOf(aim) > setOn) {
      from = startOf(aim);
      said = said
        .filter((one) => startOf(one.aim) <= setOn)
        .map((one) => ({ ...one, aim: withoutLater(one.aim, setOn) }));
    } else if (!everLimited && aim.quitDay !== null && aim.quitDay < setOn) from = aim.quitDay;
    else if (limitNow !== null) {
      const next = limitBy(aim, setOn);
      if (next === null || next > limitNow) from = setOn + 1;
    }
    said.push({ aim, from });
    last = aim;
  }
  const aims = new Map<number, Aim>();
  for (let day = firstDay; day <= lastDay; day++) {
    const aim = aimOn(day);
    if (aim) aims.set(day, aim);
  }
  return aims;
};

export const referenceStats = (world: ReferenceWorld): ReferenceStats => {
  const { dayStartHour, now } = world;
  const today = referenceDay(zoneAt(world, now), now, dayStartHour);
  const firstDay = today - 340;

  const counts = new Map<number, number>();
  for (const { timestamp, timeZone, quantity } of world.puffs) {
    const day = referenceDay(timeZone, timestamp, dayStartHour);
    counts.set(day, (counts.get(day) ?? 0) + quantity);
  }
  const countOn = (day: number) => counts.get(day) ?? 0;

  // Where nobody moved a day is as long as any; so the quarters of an hour are counted from the first move on.
  const moved = world.zones[1]?.from ?? Infinity;
  const firstMeasured = Math.floor(moved / dayMs) - 4;
  const quarters = new Map<number, number>();
  for (let at = firstMeasured * dayMs; at < (today + 3) * dayMs; at += quarterMs) {
    const day = referenceDay(zoneAt(world, at), at, dayStartHour);
    quarters.set(day, (quarters.get(day) ?? 0) + 1);
  }
  const isShort = (day: number) =>
    day > firstMeasured + 1 && (quarters.get(day) ?? 0) * quarterMs < 6 * 3_600_000;
  const isChecked = (day: number) => world.checkIns.includes(day);
  const statusOf = (day: number): DayStatus => {
    if (countOn(day) > 0 || isChecked(day)) return 'confirmed';
    return isShort(day) ? 'skipped' : 'unknown';
  };

  const aims = aimsOf(world, firstDay, today + 2);
  const limitOn = (day: number) => {
    const aim = aims.get(day);
    return aim ? limitBy(aim, day) : null;
  };

  const aimToday = aims.get(today);
  const quitDay = aimToday?.quitDay != null && aimToday.quitDay <= today ? aimToday.quitDay : Infinity;
  const puffDays = [...counts.keys()].filter((day) => day <= today);
  const puffFreeFrom = Math.min(Infinity, quitDay, ...puffDays, ...world.checkIns);

  type Judged = 'good' | 'neutral' | 'nothing' | 'puff' | 'over-limit';
  const judgePuffFree = (day: number): Judged => {
    if (day < puffFreeFrom) return 'nothing';
    if (countOn(day) > 0) return 'puff';
    return statusOf(day) === 'skipped' ? 'neutral' : 'good';
  };
  const judgeUnderLimit = (day: number): Judged => {
    const limit = limitOn(day);
    if (limit === null) return 'nothing';
    if (countOn(day) > limit) return 'over-limit';
    return statusOf(day) === 'skipped' ? 'neutral' : 'good';
  };

  const streak = (judgeDay: (day: number) => Judged): Streak => {
    const judged = new Map<number, Judged>();
    for (let day = firstDay - 1; day <= today; day++) judged.set(day, judgeDay(day));
    const judge = (day: number) => judged.get(day) ?? 'nothing';
    let best = 0;
    let length = 0;
    for (let day = firstDay; day < today; day++) {
      if (judge(day) === 'good') length += 1;
      else if (judge(day) !== 'neutral') length = 0;
      best = Math.max(best, length);
    }
    const none = { current: 0, best, startedOn: null, unconfirmedDays: 0, provisional: false };
    const judgedToday = judge(today);
    if (judgedToday === 'puff' || judgedToday === 'over-limit') return { ...none, endedReason: judgedToday };
    const run: number[] = [];
    let day = today - 1;
    for (; day >= firstDay && (judge(day) === 'good' || judge(day) === 'neutral'); day--)
      if (judge(day) === 'good') run.push(day);
    if (run.length === 0) {
      const ended = judge(day);
      return { ...none, endedReason: ended === 'puff' || ended === 'over-limit' ? ended : null };
    }
    return {
      current: run.length,
      best,
      startedOn: new Date(Math.min(...run) * dayMs).toISOString().slice(0, 10),
      unconfirmedDays: run.filter((one) => statusOf(one) === 'unknown').length,
      endedReason: null,
      provisional: true,
    };
  };

  const average = (from: number, to: number, least: number): number | null => {
    const confirmed: number[] = [];
    for (let day = today - from; day <= today - to; day++)
      if (statusOf(day) === 'confirmed') confirmed.push(countOn(day));
    if (confirmed.length < least) return null;
    return confirmed.reduce((sum, count) => sum + count, 0) / confirmed.length;
  };
  const [week, before] = [average(7, 1, 3), average(14, 8, 3)];

  const sumWhile = (holds: (day: number) => boolean): number => {
    let sum = 0;
    for (let day = today; holds(day); day--) sum += countOn(day);
    return sum;
  };
  const weekday = (day: number) => new Date(day * dayMs).getUTCDay();
  const firstWeekday = world.weekStart === 'monday' ? 1 : 0;
  const weekFrom = [0, 1, 2, 3, 4, 5, 6]
    .map((back) => today - back)
    .find((day) => weekday(day) === firstWeekday);
  const month = new Date(today * dayMs).getUTCMonth();

  const moments = world.puffs.map(({ timestamp }) => timestamp);
  if (aimToday?.quitAt != null && aimToday.quitAt <= now) moments.push(aimToday.quitAt);

  const instants = world.puffs.map(({ timestamp }) => timestamp).sort((a, b) => a - b);
  const longestGap = (marks: readonly number[]) => {
    let longest = 0;
    for (let index = 1; index < marks.length; index++)
      longest = Math.max(longest, (marks[index] ?? 0) - (marks[index - 1] ?? 0));
    return longest;
  };
  const quitAt = aimToday?.quitAt != null && aimToday.quitAt <= now ? aimToday.quitAt : null;
  const stretches = [longestGap(instants), now - Math.max(...moments)];
  if (quitAt !== null && instants[0] !== undefined) stretches.push(instants[0] - quitAt);
  const ofToday = world.puffs
    .filter(({ timeZone, timestamp }) => referenceDay(timeZone, timestamp, dayStartHour) === today)
    .map(({ timestamp }) => timestamp);
  const sinceFirst = instants.filter((instant) => instant >= Math.min(...ofToday));

  const days = Array.from({ length: today - firstDay + 1 }, (_, index) => firstDay + index);
  return {
    today,
    counts: {
      day: countOn(today),
      week: sumWhile((day) => day >= (weekFrom ?? today)),
      month: sumWhile((day) => new Date(day * dayMs).getUTCMonth() === month),
      total: world.puffs.reduce((sum, { quantity }) => sum + quantity, 0),
    },
    limit: limitOn(today),
    status: new Map(days.map((day) => [day, statusOf(day)])),
    limits: new Map(days.map((day) => [day, limitOn(day)])),
    puffFreeDays: streak(judgePuffFree),
    underLimitDays: streak(judgeUnderLimit),
    abstinenceSeconds: moments.length === 0 ? null : Math.floor((now - Math.max(...moments)) / 1000),
    bestAbstinence: moments.length === 0 ? null : Math.floor(Math.max(...stretches) / 1000),
    longestGapToday: ofToday.length === 0 ? null : Math.floor(longestGap([...sinceFirst, now]) / 1000),
    average7: week,
    average30: average(30, 1, 10),
    changeVsPreviousWeek: week === null || before === null || before === 0 ? null : week / before - 1,
  };
};
