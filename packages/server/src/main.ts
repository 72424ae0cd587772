import { once } from 'node:events';
import { startApp } from './app/app.ts';
import { readCommand, runCommand, UsageError, type Command } from './app/command.ts';
import { joinDevelopmentServices, startDevelopmentServices } from './app/development.ts';
import { ConfigError, readConfig, type Config } from './config.ts';
import { systemClock } from './platform/clock.ts';
import { createLogger } from './platform/telemetry/logger.ts';
import { createLogOutput } from './platform/telemetry/log-output.ts';

/** sysexits.h EX_CONFIG: the environment is wrong, a restart would not help. */
const exitConfig = 78;
/** sysexits.h EX_USAGE */
const exitUsage = 64;
/** Heroku kills 30 s after SIGTERM, ECS too by default. */
const hardStopMs = 25_000;
/** A start that is cut off loses nothing: the next one takes over the mongod that it has left. */
const startStopMs = 5_000;
const logFlushMs = 2_000;
const loadBalancerNoticesMs = 5_000;

const say = (line: string) => {
  process.stdout.write(`${line}\n`);
};

const run = async (config: Config, command: Command | undefined): Promise<void> => {
  const output = createLogOutput(process.stdout);
  process.on('exit', () => {
    output.flushSync(process.stdout.fd);
  });
  const log = createLogger({ level: config.logLevel, destination: output });
  const stops: (() => Promise<void>)[] = [];
  const interrupted = new AbortController();
  const isInterrupted = () => interrupted.signal.aborted;

  const end = async (code: number) => {
    setTimeout(() => process.exit(1), hardStopMs).unref();
    for (const stop of stops.splice(0).reverse()) await stop();
    process.exitCode = code;
    // What is still under way to a reader that has stopped reading would keep the process alive.
    if (!(await output.flush(logFlushMs))) process.exit(code);
  };

  // A second Ctrl-C does not cut the first one short: the drain has its own bound.
  for (const signal of ['SIGTERM', 'SIGINT'] as const)
    process.on(signal, () => {
      log.info({ event: 'process.stopping', signal }, 'stopping');
      interrupted.abort();
      setTimeout(() => process.exit(1), stops.length === 0 ? startStopMs : hardStopMs).unref();
    });

  try {
    const given = config.production
      ? givenServices(config)
      : await (command ? joinDevelopmentServices : startDevelopmentServices)(config, {
          clock: systemClock,
          say,
        });
    stops.push(() => given.stop());
    if (!given.appleTeam)
      log.warn(
        { event: 'auth.apple_team_missing' },
        'Apple code exchange and revocation disabled: APPLE_TEAM_ID, APPLE_KEY_ID and APPLE_PRIVATE_KEY not set',
      );
    if (!given.apns)
      log.warn(
        { event: 'push.off' },
        'push disabled: APNS_TOPIC, APNS_KEY_ID and APNS_PRIVATE_KEY not set; notifications stay in the inbox',
      );
    if (config.production && config.metrics.port === undefined)
      log.warn({ event: 'metrics.off' }, 'metrics disabled: METRICS_PORT not set');
    const core = {
      ...config,
      publicUrl: config.publicUrl ?? `http://localhost:${config.port}`,
      mongoUri: given.mongoUri,
      apple: {
        ...config.apple,
        baseUrl: given.appleBaseUrl,
        team: given.appleTeam,
        deviceCheckBaseUrl: given.deviceCheckBaseUrl,
      },
      apns: given.apns,
      masterKey: given.masterKey,
    };
    if (command) {
      await runCommand({ command, config: core, clock: systemClock, log, say });
    } else if (!isInterrupted()) {
      const app = await startApp({
        config: {
          ...core,
          scheduledJobs: true,
          drainNoticeMs: config.production ? loadBalancerNoticesMs : 0,
        },
        clock: systemClock,
        log,
        lostLogLines: output.lost,
      });
      stops.push(() => app.stop());
      const url = `http://${config.host === '0.0.0.0' ? 'localhost' : config.host}:${app.port}`;
      await given.announce(url);
      log.info({ event: 'process.listening', port: app.port, targets: config.targets }, 'listening');
      if (!config.production) greet(config, url);
      if (!isInterrupted()) await once(interrupted.signal, 'abort');
    }
    await end(0);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    process.stderr.write(`${reason}\n`);
    log.fatal({ event: 'process.start_failed', reason }, 'start failed');
    // The stack and the causes are for developers; `reason` says what to change.
    log.debug({ event: 'process.start_failed', err: error }, 'start failed');
    await end(1);
  }
};

/** Production brings its own services; `readConfig` has seen that they are named. */
const givenServices = (config: Config) => {
  if (config.mongoUri === undefined || config.masterKey === undefined)
    throw new Error('MONGODB_URI and MASTER_KEY are required in production');
  return {
    mongoUri: config.mongoUri,
    appleBaseUrl: config.apple.baseUrl,
    appleTeam: config.apple.team,
    deviceCheckBaseUrl: config.apple.deviceCheckBaseUrl,
    apns: config.apns,
    masterKey: config.masterKey,
    announce: () => Promise.resolve(),
    stop: () => Promise.resolve(),
  };
};

const greet = (config: Config, url: string) => {
  say(`PuffTrack runs at ${url}`);
  if (config.docs) say(`  API docs:  ${url}/docs`);
  if (config.apple.simulator) say('  A token:   npm run demo -- token alice');
  say(`  Data:      ${config.mongoUri === undefined ? config.dataDir : 'the database of MONGODB_URI'}`);
  say('  Ctrl-C ends it; the data stays.');
};

try {
  const command = readCommand(process.argv.slice(2));
  await run(readConfig(process.env), command);
} catch (error) {
  if (!(error instanceof ConfigError || error instanceof UsageError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = error instanceof UsageError ? exitUsage : exitConfig;
}
