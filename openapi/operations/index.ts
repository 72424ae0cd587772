import type { EndpointName } from '@pufftrack/contract';
import { authOperations } from './auth.ts';
import { friendOperations } from './friends.ts';
import { notificationOperations } from './notifications.ts';
import type { OperationTexts } from './operation-text.ts';
import { puffOperations } from './puffs.ts';
import { userOperations } from './users.ts';

/** Every operation; a new endpoint that has no text here is a type error. */
export const operationTexts: OperationTexts<EndpointName> = {
  ...authOperations,
  ...userOperations,
  ...puffOperations,
  ...friendOperations,
  ...notificationOperations,
};
