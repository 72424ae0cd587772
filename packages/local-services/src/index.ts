/**
 * Finds and runs MongoDB and Redis for development and tests. It never serves production: what it starts listens
 * on 127.0.0.1 without access control. Servers that are already configured by an address do not come through here.
 */
export type { Environment } from './environment.ts';
export { DataDirInUseError, LocalServiceError } from './local-service-error.ts';
export { findMongod, type FindOptions } from './mongo/find-mongod.ts';
export { findRedisServer } from './redis/find-redis-server.ts';
export { startMongo, type LocalMongo, type StartMongoOptions } from './mongo/mongo.ts';
export { endRedis, startRedis, type LocalRedis, type StartRedisOptions } from './redis/redis.ts';
export { endAbandonedMongos, startTemporaryMongo, temporaryDataDir } from './mongo/temporary-mongo.ts';
