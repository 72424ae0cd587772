import type { Flood } from './flood.ts';
import { httpFloods } from './http-floods.ts';
import { socketFloods } from './socket-floods.ts';

/** Every flood that `npm run test:attack` runs, in this order. */
export const floods: readonly Flood[] = [...socketFloods, ...httpFloods];
