/**
 * The wire contract: endpoints, socket events, problem codes, as Zod schemas.
 * The server answers by it, the client is typed by it, OpenAPI is generated from it.
 */
import * as auth from './endpoints/auth.ts';
import * as blocks from './endpoints/blocks.ts';
import type { EndpointSpec } from './endpoint.ts';
import * as friends from './endpoints/friends.ts';
import * as goals from './endpoints/goals.ts';
import * as invites from './endpoints/invites.ts';
import * as milestones from './endpoints/milestones.ts';
import * as notifications from './endpoints/notifications.ts';
import * as puffChanges from './endpoints/puff-changes.ts';
import * as puffs from './endpoints/puffs.ts';
import * as service from './endpoints/service.ts';
import * as stats from './endpoints/stats.ts';
import * as users from './endpoints/users.ts';

export * from './endpoints/auth.ts';
export * from './endpoints/blocks.ts';
export * from './endpoint.ts';
export * from './endpoints/friends.ts';
export * from './endpoints/goals.ts';
export * from './endpoints/invites.ts';
export * from './endpoints/milestones.ts';
export * from './endpoints/notifications.ts';
export * from './problem.ts';
export * from './endpoints/puff-changes.ts';
export * from './endpoints/puffs.ts';
export * from './endpoints/service.ts';
export * from './sockets.ts';
export * from './endpoints/stats.ts';
export * from './text.ts';
export * from './endpoints/users.ts';
export * from './values.ts';

/** Every endpoint of the program, by the name that handlers and the SDK use. */
export const endpoints = {
  createNonce: auth.createNonce,
  signInWithApple: auth.signInWithApple,
  refreshSession: auth.refreshSession,
  logout: auth.logout,
  logoutAll: auth.logoutAll,
  listSessions: auth.listSessions,
  endSession: auth.endSession,
  receiveAppleNotification: auth.receiveAppleNotification,
  getJwks: auth.getJwks,
  getMe: users.getMe,
  patchMe: users.patchMe,
  putMe: users.putMe,
  rotateFriendCode: users.rotateFriendCode,
  putGhost: users.putGhost,
  deleteGhost: users.deleteGhost,
  deleteMe: users.deleteMe,
  getConsents: users.getConsents,
  putConsents: users.putConsents,
  getLegalVersions: users.getLegalVersions,
  getStats: stats.getStats,
  getStatsDays: stats.getStatsDays,
  getStatsHours: stats.getStatsHours,
  getGoal: goals.getGoal,
  putGoal: goals.putGoal,
  checkIn: goals.checkIn,
  recordPuff: puffs.recordPuff,
  recordPuffBatch: puffs.recordPuffBatch,
  listPuffs: puffs.listPuffs,
  listPuffChanges: puffChanges.listPuffChanges,
  undoPuff: puffs.undoPuff,
  deleteAllPuffs: puffs.deleteAllPuffs,
  editPuff: puffs.editPuff,
  deletePuff: puffs.deletePuff,
  restorePuff: puffs.restorePuff,
  requestFriend: friends.requestFriend,
  listFriendRequests: friends.listFriendRequests,
  cancelFriendRequest: friends.cancelFriendRequest,
  acceptFriend: friends.acceptFriend,
  rejectFriend: friends.rejectFriend,
  listFriends: friends.listFriends,
  getLeaderboard: friends.getLeaderboard,
  patchFriend: friends.patchFriend,
  removeFriend: friends.removeFriend,
  createInvite: invites.createInvite,
  acceptInvite: invites.acceptInvite,
  blockPerson: blocks.blockPerson,
  listBlocks: blocks.listBlocks,
  unblockPerson: blocks.unblockPerson,
  reportPerson: blocks.reportPerson,
  getNotificationPreferences: notifications.getNotificationPreferences,
  putNotificationPreferences: notifications.putNotificationPreferences,
  listNotifications: notifications.listNotifications,
  readNotifications: notifications.readNotifications,
  registerDevice: notifications.registerDevice,
  removeDevice: notifications.removeDevice,
  listMilestones: milestones.listMilestones,
  cheerMilestone: milestones.cheerMilestone,
  removeCheer: milestones.removeCheer,
  getConfig: service.getConfig,
  healthLive: service.healthLive,
  healthReady: service.healthReady,
  healthStartup: service.healthStartup,
} as const satisfies Record<string, EndpointSpec>;

export type Endpoints = typeof endpoints;
export type EndpointName = keyof Endpoints;
