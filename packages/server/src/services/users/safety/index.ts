/** safety: blocks and reports. */
import type { Connection } from 'mongoose';
import type { Clock } from '../../../platform/clock.ts';
import type { Route } from '../../../platform/http/route.ts';
import type { UserBase } from '../accounts/index.ts';
import type { FriendRequestStore } from '../friends/friend-request-store.ts';
import type { FriendService } from '../friends/friend-service.ts';
import type { CheerEnding, LiveEvents, NotificationInbox } from '../ports.ts';
import type { Audience } from '../sharing/audience.ts';
import type { AudienceStore } from '../sharing/audience-store.ts';
import type { FriendConnectionStore } from '../sharing/friend-connection-store.ts';
import { blockRoutes } from './block-routes.ts';
import { createBlockService } from './block-service.ts';
import type { BlockStore } from './block-store.ts';
import { reportRoutes } from './report-routes.ts';
import { createReportService, type Reports } from './report-service.ts';
import { createReportStore, type ReportStore } from './report-store.ts';

export interface SafetyRoom {
  readonly routes: Route[];
  readonly reports: Reports;
  readonly reportStore: ReportStore;
}

export const createSafetyRoom = (
  deps: UserBase & {
    connection: Connection;
    connections: FriendConnectionStore;
    audiences: AudienceStore;
    audience: Audience;
    blocks: BlockStore;
    requests: FriendRequestStore;
    friends: FriendService;
    live: LiveEvents;
    inbox: NotificationInbox;
    cheers: CheerEnding;
    clock: Clock;
  },
): SafetyRoom => {
  const reportStore = createReportStore(deps.connection);
  const reports = createReportService({ ...deps, reports: reportStore });
  return {
    routes: [...blockRoutes(createBlockService(deps)), ...reportRoutes(reports)],
    reports,
    reportStore,
  };
};
