import { endpoints } from '@pufftrack/contract';
import { answer, route, type Route } from '../../../platform/http/route.ts';
import type { Reports } from './report-service.ts';

export const reportRoutes = (reports: Reports): Route[] => [
  route(endpoints.reportPerson, async ({ actor, input }) => {
    await reports.report(actor.userId, input.body);
    return answer(202, { status: 'received' as const });
  }),
];
