import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { DomainError } from '../edge/errors.ts';
import { newUuid } from '../ids.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { problemMessage } from '../edge/answers.ts';
import { failBody } from './body.ts';
import { clientAddress, networkOf } from '../edge/client-address.ts';
import { networkShare } from '../limits/connection-counts.ts';
import { createTransferAllowance } from './transfer-allowance.ts';

/** docs/adr/0020-admission-before-cost.md has the reasons. */
export interface ConnectionLimits {
  /** Of this process, WebSockets included. */
  readonly connections: number;
  /**
   * Of one client address, and `networkShare` times as many of an IPv6 /48; not applied behind proxies, whose
   * connections carry many clients.
   */
  readonly connectionsPerAddress: number;
  /** From a request's first byte, or from the connection, to the end of its headers. */
  readonly headersMs: number;
  /** A connection without a request in progress. */
  readonly idleMs: number;
  /** A body, or an answer that the client does not read, at most. */
  readonly transferMs: number;
  readonly uploadBytesPerSecond: number;
  /** How long a body may stop arriving. */
  readonly uploadStallMs: number;
  /** How long the rest of a body that is not wanted is read after its answer. */
  readonly drainMs: number;
  readonly checkEveryMs: number;
}

export const defaultConnectionLimits: ConnectionLimits = {
  connections: 10_000,
  connectionsPerAddress: 2_000,
  headersMs: 10_000,
  idleMs: 65_000,
  transferMs: 300_000,
  uploadBytesPerSecond: 1_024,
  uploadStallMs: 10_000,
  drainMs: 15_000,
  checkEveryMs: 2_000,
};

export interface Exchange {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
}

export interface Connections {
  /** A request has arrived on its connection, its headers whole. */
  began(exchange: Exchange): void;
  /** The latest request of a connection, answered or not. */
  exchangeOf(socket: Socket): Exchange | undefined;
  /** Cuts what is too slow, at `now` (monotonic ms). Runs every `checkEveryMs` by itself. */
  check(now: number): void;
}

type CutReason = 'headers' | 'body' | 'drain' | 'answer' | 'evicted' | 'refused';

interface Connection {
  readonly socket: Socket;
  readonly groups: readonly Group[];
  exchange: Exchange | undefined;
  upgraded: boolean;
  /** What `check` last saw it do. */
  phase: Phase | undefined;
}

/** The open connections of an address or a network. */
interface Group {
  readonly key: string;
  readonly bound: number;
  readonly members: Set<Connection>;
}

type Phase =
  | {
      readonly name: 'body';
      readonly of: Exchange;
      readonly startedAt: number;
      lives: ReturnType<typeof createTransferAllowance>;
      failed: boolean;
    }
  | {
      readonly name: 'drain' | 'answer' | 'handler';
      readonly of: Exchange;
      readonly startedAt: number;
    }
  | {
      readonly name: 'rest';
      readonly of: Exchange | undefined;
      readonly bytes: number;
      moreSince: number | undefined;
    };

/** Of those at their bound, so many make room at once: a flood then costs a scan for every sixteenth of the bound. */
const evictedShare = 16;

/**
 * Bounds the connections of a server in number and in time. Node's own timeouts cover the headers of a request; this
 * covers the rest: bodies by their rate, answers that are not read, bytes that never become a request.
 */
export const guardConnections = (
  server: Server,
  deps: { limits: ConnectionLimits; hasSockets: boolean; trustedHops: number; metrics: Metrics },
): Connections => {
  const { limits } = deps;
  const open = new Map<Socket, Connection>();
  const groups = new Map<string, Group>();
  const cuts = deps.metrics.counter({
    name: 'connections_cut_total',
    help: 'Connections that were closed or refused because they were too slow or too many, by reason',
    labels: ['reason'],
  });
  deps.metrics.watched(
    { name: 'connections_open', help: 'Connections of the API listener' },
    () => open.size,
  );

  const cut = ({ socket }: Connection, reason: CutReason) => {
    cuts({ reason });
    socket.destroy();
  };

  /** Destroys the oldest ones of the most numerous kind: a flood is many of a kind, and evicts itself. */
  const makeRoom = (among: Iterable<Connection>, bound: number): boolean => {
    const kinds: Record<EvictableKind, Connection[]> = { waiting: [], idle: [], sending: [], unread: [] };
    for (const connection of among) {
      const kind = evictableKind(connection);
      if (kind) kinds[kind].push(connection);
    }
    const [largest = []] = Object.values(kinds).sort((one, other) => other.length - one.length);
    const evicted = largest.slice(0, Math.ceil(bound / evictedShare));
    for (const connection of evicted) {
      forget(connection);
      cut(connection, 'evicted');
    }
    return evicted.length > 0;
  };

  const forget = (connection: Connection) => {
    if (!open.delete(connection.socket)) return;
    for (const { key, members } of connection.groups) {
      members.delete(connection);
      if (members.size === 0) groups.delete(key);
    }
  };

  /** What bounds a connection besides the total. Behind proxies the peer is a proxy: its clients are in their requests. */
  const groupsOf = (socket: Socket): Group[] => {
    if (deps.trustedHops > 0) return [];
    const address = clientAddress({ headers: {}, socket }, 0);
    const network = networkOf(address);
    const bounds = [
      { key: address, bound: limits.connectionsPerAddress },
      ...(network === undefined
        ? []
        : [{ key: network, bound: networkShare * limits.connectionsPerAddress }]),
    ];
    return bounds.map((group) => groups.get(group.key) ?? { ...group, members: new Set() });
  };

  const refuse = (socket: Socket, error: DomainError) => {
    cuts({ reason: 'refused' });
    socket.on('error', () => undefined);
    socket.write(problemMessage(error, newUuid()));
    socket.destroySoon();
  };

  server.on('connection', (socket: Socket) => {
    const own = groupsOf(socket);
    if (own.some(({ members, bound }) => members.size >= bound && !makeRoom(members, bound))) {
      refuse(socket, tooMany('rate-limited', 'This address has too many connections open.'));
      return;
    }
    if (open.size >= limits.connections && !makeRoom(open.values(), limits.connections)) {
      refuse(socket, tooMany('overloaded', 'The server has too many connections open.'));
      return;
    }
    const connection: Connection = {
      socket,
      groups: own,
      exchange: undefined,
      upgraded: false,
      phase: undefined,
    };
    open.set(socket, connection);
    for (const group of own) {
      groups.set(group.key, group);
      group.members.add(connection);
    }
    socket.once('close', () => {
      forget(connection);
    });
  });
  server.on('upgrade', (req: IncomingMessage) => {
    const connection = open.get(req.socket);
    if (connection && deps.hasSockets && isSocketPath(req)) connection.upgraded = true;
  });

  const phaseOf = (connection: Connection, now: number): Phase => {
    const { exchange, socket, phase } = connection;
    const name = exchange ? stageOf(exchange) : 'rest';
    if (phase?.name === name && phase.of === exchange) return phase;
    if (name === 'rest' || !exchange)
      return { name: 'rest', of: exchange, bytes: socket.bytesRead, moreSince: undefined };
    if (name !== 'body') return { name, of: exchange, startedAt: now };
    const lives = createTransferAllowance(
      { bytesPerSecond: limits.uploadBytesPerSecond, stallMs: limits.uploadStallMs },
      { now, bytes: socket.bytesRead },
    );
    return { name, of: exchange, startedAt: now, lives, failed: false };
  };

  const checkOne = (connection: Connection, now: number) => {
    const phase = (connection.phase = phaseOf(connection, now));
    const { bytesRead } = connection.socket;
    switch (phase.name) {
      case 'rest':
        // Node starts its own clock at the first byte of a request line, and empty lines before one are none.
        if (bytesRead === phase.bytes) return;
        phase.moreSince ??= now;
        if (now - phase.moreSince >= limits.headersMs) cut(connection, 'headers');
        return;
      case 'body': {
        const lives = phase.lives(now, bytesRead) && now - phase.startedAt < limits.transferMs;
        if (lives) return;
        // The answer closes the connection; one that does not is closed by the next check.
        if (phase.failed || !failBody(phase.of.req, tooSlow())) cut(connection, 'body');
        else cuts({ reason: 'body' });
        phase.failed = true;
        return;
      }
      case 'drain':
        if (now - phase.startedAt >= limits.drainMs) cut(connection, 'drain');
        return;
      case 'answer':
        if (now - phase.startedAt >= limits.transferMs) cut(connection, 'answer');
        return;
      case 'handler': // has a deadline of its own
    }
  };

  const check = (now: number) => {
    for (const connection of open.values()) if (!connection.upgraded) checkOne(connection, now);
  };
  const timer = setInterval(() => {
    check(performance.now());
  }, limits.checkEveryMs).unref();
  server.on('close', () => {
    clearInterval(timer);
  });

  return {
    began(exchange) {
      const connection = open.get(exchange.req.socket);
      if (connection) connection.exchange = exchange;
    },
    exchangeOf: (socket) => open.get(socket)?.exchange,
    check,
  };
};

/** Requests of Socket.IO's path, whose connections are its own business once they are upgraded. */
export const isSocketPath = ({ url }: IncomingMessage): boolean => url?.startsWith('/socket.io') === true;

const stageOf = ({ req, res }: Exchange): Phase['name'] => {
  if (!req.complete && !req.destroyed) {
    if (res.writableFinished) return 'drain';
    // Nothing reads the body before the caller is known, and until then the client cannot send more than a buffer of it.
    return req.readableFlowing === null ? 'handler' : 'body';
  }
  if (!res.writableEnded) return 'handler';
  return res.writableFinished ? 'rest' : 'answer';
};

/** Before a first request, between two, while a body arrives, or while an answer is not read. */
type EvictableKind = 'waiting' | 'idle' | 'sending' | 'unread';

/** Undefined: it is in use, by a request that is being handled or by a WebSocket. */
const evictableKind = ({ exchange, upgraded }: Connection): EvictableKind | undefined => {
  if (upgraded) return undefined;
  if (!exchange) return 'waiting';
  if (exchange.res.writableFinished) return 'idle';
  if (exchange.res.writableEnded) return 'unread';
  return exchange.req.complete ? undefined : 'sending';
};

const tooSlow = () =>
  new DomainError('request-timeout', {
    detail:
      'The body arrived too slowly. Send at 1 KB/s or more, within 5 minutes; a smaller batch takes less.',
  });

const tooMany = (code: 'rate-limited' | 'overloaded', detail: string) =>
  new DomainError(code, { detail: `${detail} Connect again in a moment.`, retryAfterSeconds: 1 });
