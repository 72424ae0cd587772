import { targetNames, targetOf, type App, type TargetName } from '@pufftrack/server';
import { startNginx } from './nginx.ts';
import { startPathProxy } from './path-proxy.ts';

/** The servers of a test: one process with every target, or one process per service behind a proxy. */
export interface Servers extends Pick<App, 'jobs' | 'drain' | 'stop'> {
  readonly url: string;
  readonly apps: readonly App[];
}

export type StartServer = (targets: readonly TargetName[], proxies: number) => Promise<App>;

export const startOneServer = async (
  start: StartServer,
  targets: readonly TargetName[],
): Promise<Servers> => {
  const app = await start(targets, 0);
  const { jobs, drain, stop } = app;
  return { url: `http://127.0.0.1:${app.port}`, apps: [app], jobs, drain, stop };
};

/** Two for the sockets, so that friends connect to different ones. */
const split: readonly TargetName[] = [...targetNames, 'notifications'];

/**
 * Simulates one process per service: each has its own connections, caches and port. They share only the database, Redis
 * and the proxy.
 */
export const startSplitServers = async (start: StartServer): Promise<Servers> => {
  // The first one migrates; the others find it done.
  const [firstName = 'web', ...rest] = split;
  const first = await start([firstName], 1);
  const begun = [first];
  begun.push(...(await Promise.all(rest.map((name) => start([name], 1)))));
  const ports = new Map<TargetName, number[]>();
  split.forEach((name, index) => {
    ports.set(name, [...(ports.get(name) ?? []), begun[index]?.port ?? 0]);
  });
  const proxy =
    process.env['PUFFTRACK_TEST_PROXY'] === 'nginx' ? await startNginx(ports) : await roundRobin(ports);
  const holder = begun[split.indexOf('puffs')] ?? first;
  return {
    url: proxy.url,
    apps: begun,
    jobs: {
      // Any process can run any job by name; this one has the cached state that `reconcile` compares.
      list: holder.jobs.list,
      run: holder.jobs.run,
      runDue: async (only) => (await Promise.all(begun.map((app) => app.jobs.runDue(only)))).flat(),
    },
    async drain() {
      for (const app of begun) await app.drain();
    },
    async stop() {
      await proxy.close();
      await Promise.all(begun.map((app) => app.stop()));
    },
  };
};

/** Requests to a target alternate between its processes. */
const roundRobin = (ports: ReadonlyMap<TargetName, readonly number[]>) => {
  let requests = 0;
  return startPathProxy((path) => {
    const choice = ports.get(targetOf(path)) ?? [];
    requests += 1;
    return choice[requests % choice.length] ?? 0;
  });
};
