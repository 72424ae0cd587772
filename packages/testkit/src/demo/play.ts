import type { Friend, UserStats } from '@pufftrack/contract';
import { createFriendship, type Person } from '../person.ts';
import type { RecordedSocket } from '../recorded-socket.ts';
import { startTestApp } from '../test-app.ts';
import { allPuffs, differences, recountOf } from './recount.ts';
import { firstDay, habits, lastMoment, week, type Scene } from './week.ts';

interface Phone {
  readonly person: Person;
  readonly timeZone: string;
  socket: RecordedSocket;
}

/** Plays the week and prints it; false if a count of the server differs from the raw puffs. */
export const playDemo = async (mongoUri: string, print: (line: string) => void): Promise<boolean> => {
  const app = await startTestApp({ mongoUri, now: new Date(firstDay).toISOString() });
  try {
    const phones = new Map<string, Phone>();
    for (const { who, timeZone } of habits) {
      const person = await app.person(who, { timeZone });
      phones.set(who, { person, timeZone, socket: await person.connect() });
      print(`${who} signs in with Apple in ${timeZone}`);
    }
    const phoneOf = (who: string): Phone => {
      const phone = phones.get(who);
      if (!phone) throw new Error(`no person has the name ${who}`);
      return phone;
    };
    const [alice, bob, carla] = [phoneOf('alice').person, phoneOf('bob').person, phoneOf('carla').person];
    await createFriendship(alice, bob);
    await createFriendship(bob, carla);
    await createFriendship(carla, alice, { other: 'summary' });
    print('alice and bob, and bob and carla, share live; alice gives carla the summary only\n');

    /** Who sees a puff of whom, live. */
    const audience: Readonly<Record<string, readonly string[]>> = {
      alice: ['bob'],
      bob: ['alice', 'carla'],
      carla: ['alice', 'bob'],
    };

    const show = async ({ at, who, what, quantity }: Scene) => {
      const phone = phoneOf(who);
      const stamp = wallClock(at, phone.timeZone);
      if (what === 'puff-offline') {
        await phone.person.client.queue.add({ timeZone: phone.timeZone, quantity });
        const waiting = await phone.person.client.queue.list();
        print(`${stamp}  ${who} puffs without a network; ${waiting.length} wait on the phone`);
        return;
      }
      if (what === 'back-online') {
        const { created, stats } = await phone.person.client.queue.flush();
        if (stats)
          print(`${stamp}  ${who} is back: ${created} puffs sent; ${who}'s phone: ${figures(stats)}`);
        return;
      }
      const { stats } = await phone.socket.puff({ timeZone: phone.timeZone, quantity });
      const seen = await Promise.all(
        (audience[who] ?? []).map(async (friend) => {
          const live = await phoneOf(friend).socket.next('friendPuff');
          return `${friend}'s phone: ${live.friendName ?? '?'} puffs, ${live.todayCount} today`;
        }),
      );
      print([`${stamp}  ${who}'s phone: ${figures(stats)}`, ...seen].join(' | '));
    };

    for (const scene of week()) {
      app.clock.set(scene.at);
      // Hours have passed for everybody: no access token is good that long, so each phone comes back with a new one.
      for (const phone of phones.values()) {
        phone.socket.close();
        phone.socket = await phone.person.connect();
      }
      await show(scene);
    }
    app.clock.set(lastMoment);
    await app.drain();

    print(`\nThe week is over: ${new Date(lastMoment).toISOString()}`);
    let agree = true;
    for (const { person, timeZone, socket } of phones.values()) {
      const [stats, puffs] = [await person.client.call('getStats'), await allPuffs(person.client)];
      const recount = recountOf(puffs, timeZone, app.clock.now());
      const days = [...recount.byDay].sort().map(([day, count]) => `${day.slice(5)}: ${count}`);
      print(`${person.name}: ${figures(stats)}; ${puffs.length} records; ${days.join(', ')}`);
      for (const difference of differences(stats, recount)) {
        agree = false;
        print(`  WRONG ${difference}`);
      }
      socket.close();
    }
    for (const { person } of phones.values()) {
      const { friends } = await person.client.call('listFriends');
      for (const { name, summary, theirShareLevel } of [...friends].sort(byName))
        print(
          `${person.name}'s phone: ${name ?? '?'} (${theirShareLevel}): ${summary?.todayCount ?? '?'} today`,
        );
    }
    print(agree ? 'All figures equal a recount from the raw puffs.' : 'Some figures are wrong.');
    return agree;
  } finally {
    await app.close();
  }
};

/** Friends are listed by when they became friends, which is the same moment here. */
const byName = (a: Friend, b: Friend) => (a.name ?? '').localeCompare(b.name ?? '');

const figures = (stats: UserStats): string =>
  `${stats.dailyPuffCount} today, ${stats.weeklyPuffCount} this week, ${stats.totalPuffCount} in all, ${stats.streakDays} days free`;

/** `Sun 25 Oct 02:30 (GMT+2)`: with the offset, because that hour comes twice. */
const wallClock = (at: number, timeZone: string): string => {
  const parts = new Intl.DateTimeFormat('en-GB', {
    timeZone,
    weekday: 'short',
    day: '2-digit',
    month: 'short',
    hour: '2-digit',
    minute: '2-digit',
    timeZoneName: 'shortOffset',
    hourCycle: 'h23',
  }).formatToParts(new Date(at));
  const part = (type: Intl.DateTimeFormatPartTypes) => parts.find((item) => item.type === type)?.value ?? '';
  return `${part('weekday')} ${part('day')} ${part('month')} ${part('hour')}:${part('minute')} ${part('timeZoneName').padEnd(9)}`;
};
