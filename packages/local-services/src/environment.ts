import { LocalServiceError } from './local-service-error.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** A server started here has no access control, no backup and one member: never for other people's data. */
export const refuseProduction = (env: Environment, service: string, variable: string): void => {
  if (env['NODE_ENV'] === 'production')
    throw new LocalServiceError(
      `NODE_ENV=production: the embedded ${service} is for development and tests only. Set ${variable}.`,
    );
};
