import { pino, type DestinationStream, type Logger } from 'pino';

export type { Logger } from 'pino';

/** Names that carry secrets or health data; never printed, at any depth that pino can name. */
const secrets = [
  'authorization',
  'token',
  'accessToken',
  'refreshToken',
  'identityToken',
  'nonce',
  'authorizationCode',
];
const personal = ['email', 'name', 'deviceToken', 'timestamp', 'body'];

/** JSON lines on stdout. */
export const createLogger = (options: { level: string; destination?: DestinationStream }): Logger =>
  pino(
    {
      level: options.level,
      timestamp: pino.stdTimeFunctions.isoTime,
      base: null,
      redact: [...secrets, ...personal].flatMap((key) => [key, `*.${key}`]),
    },
    options.destination ?? pino.destination({ dest: 1, sync: true }),
  );
