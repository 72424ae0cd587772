/** Tools of the whole-program tests and the demo: servers on free ports, a manual clock, and signed-in people. */
export { socketPath, upgrade, type BareWebSocket, type RawAnswer } from './bare-websocket.ts';
export { eventually, inTime, patienceMs } from './eventually.ts';
export {
  createFriendship,
  sha256Hex,
  signInPerson,
  type Person,
  type PersonOptions,
  type World,
} from './person.ts';
export { recordEvents, type NextOptions, type RecordedSocket } from './recorded-socket.ts';
export { spawnProgram, startServerProcess, type ServerProcess } from './server-process.ts';
export { startTestApp, testClientId, type TestApp, type TestAppOptions } from './test-app.ts';
export { createTestClock, type TestClock } from './test-clock.ts';
