import { LocalServiceError } from './local-service-error.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** The embedded servers have no access control, no backup and one member, so they must not hold production data. */
export const refuseProduction = (env: Environment, service: string, variable: string): void => {
  if (env['NODE_ENV'] === 'production')
    throw new LocalServiceError(
      `NODE_ENV=production: the embedded ${service} is for development and tests only. Set ${variable}.`,
    );
};
