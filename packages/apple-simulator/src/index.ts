/**
 * Apple's side of Sign in with Apple and of push notifications, spoken over real ports with keys of its own: for
 * development, the demo and tests. It refuses to start in production and on any address but loopback.
 */
export { startApnsSimulator } from './apns-simulator.ts';
export type { ApnsReply, ApnsSimulator, ApnsSimulatorOptions, ReceivedPush } from './apns-simulator.ts';
export { startAppleSimulator } from './apple-simulator.ts';
export type { AppleSimulator, AppleSimulatorOptions } from './apple-simulator.ts';
export type { AppleAuthorization, AuthorizationRequest } from './authorizations.ts';
export type { IdentityTokenOverrides } from './identity-token.ts';
export type { Devices, DeviceState } from './devices.ts';
export type { NotificationRequest } from './notifications.ts';
export type { Outage } from './http-server.ts';
