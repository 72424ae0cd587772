import type { IncomingMessage } from 'node:http';
import type { Express } from 'express';
import { DomainError } from '../edge/errors.ts';

const webSocketOnly = "set `transports: ['websocket']` in the Socket.IO client";

/** Socket.IO's clients write its path with and without the slash. */
export const requireSocketPath = ({ url = '' }: IncomingMessage): void => {
  const [path] = url.split('?', 1);
  if (path !== '/socket.io' && path !== '/socket.io/')
    throw new DomainError('not-found', { detail: 'No such endpoint.' });
};

/** Refuses what Engine.IO could not open as a WebSocket, in words that say what to change in the client or the proxy. */
export const requireHandshake = ({ method, url = '' }: IncomingMessage, isUpgrade: boolean): void => {
  const query = new URLSearchParams(url.split('?', 2)[1]);
  const refuse = (detail: string) => {
    throw new DomainError('malformed', { detail });
  };
  if (query.getAll('EIO').join() !== '4')
    refuse(
      'Only Engine.IO protocol 4 (`EIO=4`) is accepted: use a Socket.IO client of version 3 or 4 ' +
        `(Swift 16, Java 2 or newer), and ${webSocketOnly}.`,
    );
  if (query.getAll('transport').join() !== 'websocket')
    refuse(`WebSocket is the only transport here, polling is refused: ${webSocketOnly}.`);
  if (query.has('sid'))
    refuse(`A WebSocket has its own session here and takes no \`sid\`: ${webSocketOnly}, and no upgrade.`);
  if (!isUpgrade)
    refuse(
      `This is no WebSocket upgrade: ${webSocketOnly}, and let each proxy pass \`Upgrade\` and \`Connection\` on.`,
    );
  if (method !== 'GET') throw new DomainError('method-not-allowed', { detail: 'An upgrade is a GET.' });
};

/** Answers what comes to Socket.IO's path and is no upgrade: polling clients, and upgrades that a proxy took apart. */
export const refusedTransports = (app: Express): void => {
  app.all(['/socket.io', '/socket.io/'], (req) => {
    requireHandshake(req, false);
  });
};
