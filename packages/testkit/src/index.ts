/** What tests and the demo stand on: whole servers on free ports, a clock that they own, and people with phones. */
export { socketPath, upgrade, type BareWebSocket, type RawAnswer } from './bare-websocket.ts';
export { eventually, inTime, patienceMs } from './eventually.ts';
export { befriend, sha256Hex, signInPerson, type Person, type PersonOptions, type World } from './person.ts';
export { recordEvents, type NextOptions, type RecordedSocket } from './recorded-socket.ts';
export { spawnProgram, startServerProcess, type ServerProcess } from './server-process.ts';
export { startTestApp, testClientId, type TestApp, type TestAppOptions } from './test-app.ts';
export { createTestClock, type TestClock } from './test-clock.ts';
