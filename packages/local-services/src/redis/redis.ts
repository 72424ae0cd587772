import { spawn } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { refuseProduction, type Environment } from '../environment.ts';
import { findRedisServer } from './find-redis-server.ts';
import { freePort, isPortFree } from '../free-port.ts';
import { LocalServiceError } from '../local-service-error.ts';
import { identify, isAlive, type ProcessIdentity } from '../process-identity.ts';
import { stopProcess } from '../stop-process.ts';

const readyWithinMs = 10_000;
const stopWithinMs = 5_000;

export interface StartRedisOptions {
  /** Keeps the data over restarts. Default: the data is lost when Redis stops. */
  dataDir?: string;
  /** Default: any free port. */
  port?: number;
  log?: (line: string) => void;
  cacheDir?: string;
  env?: Environment;
}

export interface LocalRedis {
  url: string;
  port: number;
  process: ProcessIdentity;
  /** Stops Redis (SIGKILL after 5 s). */
  stop(): Promise<void>;
}

/** True when the server answers commands. It accepts connections earlier, while it loads its data directory. */
const answersPing = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' });
    const end = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(1_000, () => {
      end(false);
    });
    socket.once('error', () => {
      end(false);
    });
    socket.once('data', (answer) => {
      end(answer.toString().startsWith('+PONG'));
    });
    socket.write('PING\r\n');
  });

/** Stops a redis-server whose parent has exited. Does nothing if its pid now belongs to another process. */
export const endRedis = (redis: ProcessIdentity): Promise<void> => stopProcess(redis, stopWithinMs);

/**
 * Runs a redis-server on 127.0.0.1 without access control.
 * @throws LocalServiceError in production, when the port is taken, when no redis-server is found, and when it is not ready
 * within 10 s
 */
export const startRedis = async (options: StartRedisOptions = {}): Promise<LocalRedis> => {
  const { dataDir, log, cacheDir, env = process.env } = options;
  refuseProduction(env, 'Redis', 'REDIS_URL');
  const { path } = await findRedisServer({ log, cacheDir, fallbackDir: dataDir, env });
  const port = options.port ?? (await freePort());
  if (!(await isPortFree(port))) throw new LocalServiceError(`Port ${port} for Redis is taken.`);
  if (dataDir) await mkdir(dataDir, { recursive: true, mode: 0o700 });
  const args = ['--port', String(port), '--bind', '127.0.0.1', '--save', ''];
  args.push('--dir', dataDir ?? tmpdir(), '--appendonly', dataDir ? 'yes' : 'no');
  const child = spawn(path, args, { env: { ...env }, stdio: 'ignore' });
  if (child.pid === undefined) return new Promise((_, reject) => child.once('error', reject));
  child.unref();
  const redis = identify(child.pid);
  const deadline = performance.now() + readyWithinMs;
  while (!(await answersPing(port))) {
    if (isAlive(redis) && performance.now() < deadline) await delay(20);
    else {
      await endRedis(redis);
      throw new LocalServiceError(`Redis (${path}) was not ready on port ${port} within 10 s.`);
    }
  }
  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    process: redis,
    stop: () => endRedis(redis),
  };
};
