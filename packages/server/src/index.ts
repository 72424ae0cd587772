/** The server as a library: for the test kit and the benchmark. A process starts with main.ts. */
export { startApp, type App, type AppConfig } from './app/app.ts';
export { targetOf } from './app/path-table.ts';
export { targetNames, type TargetName } from './target-names.ts';
export type { Clock } from './platform/clock.ts';
export { createLogger, type Logger } from './platform/telemetry/logger.ts';
