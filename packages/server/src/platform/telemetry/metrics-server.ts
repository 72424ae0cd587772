import { createServer, type RequestListener, type Server } from 'node:http';
import type { Metrics } from './metrics.ts';

/** Answers with the figures, whatever was asked. */
export const metricsPage =
  ({ contentType, text }: Metrics): RequestListener =>
  (_req, res) => {
    text().then(
      (figures) => {
        res.setHeader('Content-Type', contentType);
        res.end(figures);
      },
      () => {
        res.statusCode = 500;
        res.end();
      },
    );
  };

/** A listener for `GET /metrics` and nothing else, on a port that the load balancer does not know. Not listening yet. */
export const createMetricsServer = (metrics: Metrics): Server => {
  const page = metricsPage(metrics);
  return createServer({ requestTimeout: 10_000, headersTimeout: 5_000 }, (req, res) => {
    if (req.method === 'GET' && req.url === '/metrics') {
      page(req, res);
      return;
    }
    res.statusCode = 404;
    res.end();
  });
};
