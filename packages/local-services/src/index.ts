/**
 * Finds and runs MongoDB and Redis for development and tests, never for production: the servers listen on 127.0.0.1 without
 * access control. A server that is configured by its address does not use this package.
 */
export type { Environment } from './environment.ts';
export { DataDirInUseError, LocalServiceError } from './local-service-error.ts';
export { findMongod, type FindOptions } from './mongo/find-mongod.ts';
export { findRedisServer } from './redis/find-redis-server.ts';
export { startMongo, type LocalMongo, type StartMongoOptions } from './mongo/mongo.ts';
export { endRedis, startRedis, type LocalRedis, type StartRedisOptions } from './redis/redis.ts';
export { endAbandonedMongos, startTemporaryMongo, temporaryDataDir } from './mongo/temporary-mongo.ts';
