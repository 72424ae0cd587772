import { endpoints } from '@pufftrack/contract';
import { answer, route, type Route } from '../../../platform/http/route.ts';
import { legalVersions } from '../consents/legal-versions.ts';
import type { ConsentService } from './consent-service.ts';

export const consentRoutes = (consents: ConsentService): Route[] => [
  route(endpoints.getConsents, async ({ actor }) =>
    answer(200, { consents: await consents.list(actor.userId) }),
  ),
  route(endpoints.putConsents, async ({ actor, input }) =>
    answer(200, { consents: await consents.change(actor.userId, input.body.consents) }),
  ),
  route(endpoints.getLegalVersions, () => Promise.resolve(answer(200, { ...legalVersions }))),
];
