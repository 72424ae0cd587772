/**
 * The wire contract: endpoints, socket events, problem codes, as Zod schemas.
 * The server answers by it, the client is typed by it, OpenAPI is generated from it.
 */
import * as auth from './auth.ts';
import * as blocks from './blocks.ts';
import type { EndpointSpec } from './endpoint.ts';
import * as friends from './friends.ts';
import * as goals from './goals.ts';
import * as invites from './invites.ts';
import * as milestones from './milestones.ts';
import * as notifications from './notifications.ts';
import * as puffs from './puffs.ts';
import * as service from './service.ts';
import * as stats from './stats.ts';
import * as users from './users.ts';

export * from './auth.ts';
export * from './blocks.ts';
export * from './endpoint.ts';
export * from './friends.ts';
export * from './goals.ts';
export * from './invites.ts';
export * from './milestones.ts';
export * from './notifications.ts';
export * from './problem.ts';
export * from './puffs.ts';
export * from './service.ts';
export * from './sockets.ts';
export * from './stats.ts';
export * from './text.ts';
export * from './users.ts';
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
  listPuffChanges: puffs.listPuffChanges,
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
