import type { ClientSession } from 'mongodb';
import { Schema, type Connection } from 'mongoose';
import { collectionOf } from '../../../platform/mongo/collection.ts';
import { backgroundLimit } from '../../../platform/mongo/time-limits.ts';
import type { ApnsEnvironment } from './apns/apns-client.ts';

/** A device that receives pushes. Instants in ms. */
export interface Device {
  /** Of this registration: the same token has another id under another account. */
  readonly id: string;
  /** Issued by Apple, in lower-case hexadecimal. Never logged. */
  readonly token: string;
  readonly userId: string;
  /** The session that registered it; the device is removed when it ends. */
  readonly sessionId: string;
  readonly environment: ApnsEnvironment;
  readonly bundleId: string;
  readonly locale: string | null;
  /** When the app registered the token last. */
  readonly registeredAt: number;
}

interface DeviceDoc extends Omit<Device, 'id' | 'registeredAt'> {
  _id: string;
  registeredAt: Date;
}

const deviceSchema = new Schema<DeviceDoc>({
  _id: { type: String, required: true },
  token: { type: String, required: true },
  userId: { type: String, required: true },
  sessionId: { type: String, required: true },
  environment: { type: String, required: true },
  bundleId: { type: String, required: true },
  locale: String,
  registeredAt: { type: Date, required: true },
});
deviceSchema.index({ token: 1 }, { unique: true });
deviceSchema.index({ userId: 1, registeredAt: -1 });
deviceSchema.index({ sessionId: 1 });
deviceSchema.index({ registeredAt: 1 });

export interface DeviceStore {
  ensureIndexes(): Promise<void>;
  /** Keeps the id if this user has registered the token before; removes it from any other account. */
  register(device: Device, tx: ClientSession): Promise<void>;
  /** Newest first. */
  list(userId: string, tx?: ClientSession): Promise<Device[]>;
  find(id: string): Promise<Device | undefined>;
  remove(ids: readonly string[], tx?: ClientSession): Promise<void>;
  removeToken(userId: string, token: string): Promise<void>;
  /** Unless the app has registered it again since (ms). */
  removeUnlessSince(id: string, instant: number): Promise<void>;
  removeSession(sessionId: string): Promise<void>;
  /** The registrations of these sessions belong to `to` from now on: a new sign-in on the same device. */
  moveSessions(from: readonly string[], to: string, tx: ClientSession): Promise<void>;
  removeUnseenSince(instant: number): Promise<number>;
  /** Removes everything of this user; answers the number of rows. */
  removeAll(userId: string): Promise<number>;
}

export const createDeviceStore = (connection: Connection): DeviceStore => {
  const { collection: devices, ensureIndexes } = collectionOf(connection, 'devices', deviceSchema);
  return {
    ensureIndexes,
    async register({ id, registeredAt, ...device }, tx) {
      const { token, userId } = device;
      const fields = { ...device, registeredAt: new Date(registeredAt) };
      const { matchedCount } = await devices.updateOne({ token, userId }, { $set: fields }, { session: tx });
      if (matchedCount > 0) return;
      await devices.deleteOne({ token }, { session: tx });
      await devices.insertOne({ _id: id, ...fields }, { session: tx });
    },
    async list(userId, tx) {
      const docs = await devices
        .find({ userId }, { sort: { registeredAt: -1 }, ...(tx && { session: tx }) })
        .toArray();
      return docs.map(toDevice);
    },
    async find(id) {
      const doc = await devices.findOne({ _id: id });
      return doc ? toDevice(doc) : undefined;
    },
    async remove(ids, tx) {
      await devices.deleteMany({ _id: { $in: [...ids] } }, tx ? { session: tx } : {});
    },
    async removeToken(userId, token) {
      await devices.deleteOne({ token, userId });
    },
    async removeUnlessSince(id, instant) {
      await devices.deleteOne({ _id: id, registeredAt: { $lte: new Date(instant) } });
    },
    async removeSession(sessionId) {
      await devices.deleteMany({ sessionId });
    },
    async moveSessions(from, to, tx) {
      await devices.updateMany(
        { sessionId: { $in: [...from] } },
        { $set: { sessionId: to } },
        { session: tx },
      );
    },
    async removeUnseenSince(instant) {
      return (await devices.deleteMany({ registeredAt: { $lt: new Date(instant) } }, backgroundLimit))
        .deletedCount;
    },
    async removeAll(userId) {
      return (await devices.deleteMany({ userId })).deletedCount;
    },
  };
};

const toDevice = ({ _id, registeredAt, ...doc }: DeviceDoc): Device => ({
  ...doc,
  id: _id,
  registeredAt: registeredAt.getTime(),
});
