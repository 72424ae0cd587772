import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { link, readFile, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { simulatorClientId, type ApnsSettings, type AppleTeam, type Config } from '../config.ts';
import type { Clock } from '../platform/clock.ts';
import { withDataDir } from './data-dir.ts';

/** What production has to be given, and a developer's machine makes for itself. */
export interface DevelopmentServices {
  readonly mongoUri: string;
  readonly appleBaseUrl: string;
  readonly appleTeam: AppleTeam | undefined;
  readonly deviceCheckBaseUrl: string;
  readonly apns: ApnsSettings | undefined;
  readonly masterKey: Buffer;
  /** Tells tools on this machine where the server is. */
  announce(url: string): Promise<void>;
  /** Stops what was started here, the database last. */
  stop(): Promise<void>;
}

/**
 * Starts the embedded MongoDB and the Apple simulator where the configuration names none, and keeps the master key in
 * `DATA_DIR`. Their packages are loaded here and nowhere else, so that production never has them in memory.
 */
export const startDevelopmentServices = async (
  config: Config,
  { clock, say }: { clock: Clock; say: (line: string) => void },
): Promise<DevelopmentServices> => {
  const { dataDir } = config;
  const masterKey = await withDataDir(
    dataDir,
    async () => config.masterKey ?? (await keptMasterKey(dataDir)),
  );
  const stops: (() => Promise<void>)[] = [];
  const stop = async () => {
    for (const stopOne of stops.splice(0).reverse()) await stopOne();
  };

  try {
    let mongoUri = config.mongoUri;
    if (mongoUri === undefined) {
      const { startMongo } = await import('@pufftrack/local-services');
      const mongo = await startMongo({ dataDir, log: say });
      stops.push(() => mongo.stop());
      mongoUri = mongo.uri;
    }
    let appleBaseUrl = config.apple.baseUrl;
    let appleTeam = config.apple.team;
    let { apns } = config;
    if (config.apple.simulator) {
      const { startAppleSimulator, startApnsSimulator } = await import('@pufftrack/apple-simulator');
      const { team, publicKey } = simulatedTeam();
      appleTeam = team;
      const apple = await startAppleSimulator({
        teamId: team.teamId,
        clientSecretKey: publicKey,
        now: () => clock.now(),
        keyFile: join(dataDir, 'apple-simulator-keys.json'),
        production: config.production,
      });
      stops.push(() => apple.close());
      appleBaseUrl = apple.baseUrl;
      if (!apns) {
        const push = await startApnsSimulator({
          now: () => clock.now(),
          teamId: team.teamId,
          key: publicKey,
          production: config.production,
        });
        stops.push(() => push.close());
        const topic = config.apple.clientIds[0] ?? simulatorClientId;
        apns = { ...team, topic, baseUrl: push.baseUrl, ca: push.ca };
      }
    }
    return {
      mongoUri,
      appleBaseUrl,
      appleTeam,
      deviceCheckBaseUrl: config.apple.simulator ? appleBaseUrl : config.apple.deviceCheckBaseUrl,
      apns,
      masterKey,
      announce: (url) =>
        writeFile(
          join(dataDir, 'development.json'),
          JSON.stringify({
            url,
            // One that was given may hold a password.
            ...(config.mongoUri === undefined && { mongoUri }),
            ...(config.apple.simulator && { appleSimulatorUrl: appleBaseUrl }),
            clientId: config.apple.clientIds[0],
          }),
        ),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
};

/** A team for the simulator, whose key lives as long as both of them. */
const simulatedTeam = () => {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  return { team: { teamId: 'SIMULATED0', keyId: 'SIMULATED1', privateKey: pem }, publicKey };
};

/**
 * For a command: the same, but without an Apple, and on the database of the server that runs here already, if one does.
 */
export const joinDevelopmentServices: typeof startDevelopmentServices = async (config, { clock, say }) => {
  const quiet = { ...config, apple: { ...config.apple, simulator: false } };
  try {
    return await startDevelopmentServices(quiet, { clock, say });
  } catch (error) {
    const { DataDirInUseError } = await import('@pufftrack/local-services');
    if (!(error instanceof DataDirInUseError)) throw error;
    const announced: unknown = JSON.parse(await readFile(join(config.dataDir, 'development.json'), 'utf8'));
    const { mongoUri } = z.object({ mongoUri: z.string() }).parse(announced);
    return startDevelopmentServices({ ...quiet, mongoUri }, { clock, say });
  }
};

/** 32 bytes, made once; readable by this user alone. */
const keptMasterKey = async (dataDir: string): Promise<Buffer> => {
  const file = join(dataDir, 'master-key');
  const read = async () => Buffer.from((await readFile(file, 'utf8')).trim(), 'base64');
  try {
    return await read();
  } catch {
    // Written aside and linked: a kill in between leaves no half key, and of two starts at once the first wins.
    const draft = `${file}.${randomBytes(6).toString('hex')}`;
    await writeFile(draft, randomBytes(32).toString('base64'), { mode: 0o600 });
    await link(draft, file).catch(() => undefined);
    await unlink(draft);
    return read();
  }
};
