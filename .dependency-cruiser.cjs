/**
 * The import rules of the architecture: app -> services -> platform -> domain -> contract, and inside a service
 * routes/events -> service -> store, rules. packages/server/test/import-rules.test.ts proves that each can fail.
 */
const server = '^packages/server/src/';
const test = '[.]test[.]ts$|^packages/[^/]+/test/';

/**
 * The rooms of each service, each with the rooms that it may use. The services' own files stand above all rooms; of them a
 * room uses the ports, and in auth the shared configuration and metrics.
 */
const rooms = {
  puffs: {
    domain: [],
    log: ['domain'],
    state: ['domain', 'log'],
    commit: ['domain', 'log', 'state'],
    maintenance: ['domain', 'log', 'state', 'commit'],
  },
  analytics: {
    days: [],
    goals: ['days'],
    streaks: ['days', 'goals'],
    stats: ['days', 'goals', 'streaks'],
    boards: ['days', 'goals'],
    'read-model': ['days', 'goals', 'streaks', 'stats', 'boards'],
    'platform-metrics': [],
  },
  notifications: {
    preferences: [],
    inbox: ['preferences'],
    live: ['inbox'],
    'push/apns': [],
    push: ['push/apns', 'preferences', 'inbox'],
  },
  coaching: { milestones: [], cheers: ['milestones'] },
  users: {
    consents: [],
    accounts: ['consents'],
    sharing: ['consents', 'accounts'],
    friends: ['consents', 'accounts', 'sharing'],
    safety: ['accounts', 'sharing', 'friends'],
    privacy: ['accounts', 'sharing', 'friends'],
  },
  auth: {
    keys: [],
    sessions: ['keys'],
    apple: ['keys', 'sessions'],
    'sign-in': ['keys', 'sessions', 'apple'],
  },
};

const roomRules = Object.entries(rooms).flatMap(([service, uses]) =>
  Object.entries(uses).map(([room, used]) => ({
    name: `room-${service}-${room.replace('/', '-')}`,
    comment: 'Arrows between the rooms of a service point one way.',
    severity: 'error',
    from: { path: `${server}services/${service}/${room}/[^/]+$`, pathNot: test },
    to: {
      path: `${server}services/${service}/`,
      pathNot: [
        ...[room, ...used].map((name) => `${server}services/${service}/${name}/[^/]+$`),
        `${server}services/${service}/(ports|auth-config|auth-metrics)[.]ts$`,
      ],
    },
  })),
);

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    ...roomRules,
    {
      name: 'every-room-has-a-rule',
      comment: 'A new folder of a service gets its line in `rooms`.',
      severity: 'error',
      from: {
        path: `${server}services/`,
        pathNot: [
          ...Object.entries(rooms).flatMap(([service, uses]) =>
            ['', ...Object.keys(uses).map((room) => `${room}/`)].map(
              (folder) => `${server}services/${service}/${folder}[^/]+$`,
            ),
          ),
          test,
        ],
      },
      to: {},
    },
    {
      name: 'no-circle',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    { name: 'resolvable', severity: 'error', from: {}, to: { couldNotResolve: true } },
    {
      name: 'contract-on-zod-only',
      severity: 'error',
      from: { path: '^packages/contract/src/' },
      to: { pathNot: ['^packages/contract/src/', 'node_modules/zod/'] },
    },
    {
      name: 'domain-knows-only-the-contract',
      comment: 'The kernel is pure: no clock, no log, no database. Zone rules are data of a package.',
      severity: 'error',
      from: { path: `${server}domain/`, pathNot: test },
      to: {
        pathNot: [`${server}domain/`, '^packages/contract/src/', 'node_modules/moment-timezone/'],
        dependencyTypesNot: ['core'],
      },
    },
    {
      name: 'platform-knows-no-service',
      severity: 'error',
      from: { path: `${server}platform/`, pathNot: test },
      to: { path: `${server}(services|app|config|main)` },
    },
    {
      name: 'config-knows-no-app',
      severity: 'error',
      from: { path: `${server}(config|target-names)`, pathNot: test },
      to: { path: `${server}(services|app|main)` },
    },
    {
      name: 'services-know-no-app',
      severity: 'error',
      from: { path: `${server}services/`, pathNot: test },
      to: { path: `${server}(app|config|main)` },
    },
    {
      name: 'services-by-their-index',
      comment:
        'Types and values of another service come through its index.ts; calls that reach state go through ports.',
      severity: 'error',
      from: { path: `${server}services/([^/]+)/`, pathNot: test },
      to: {
        path: `${server}services/`,
        pathNot: [`${server}services/$1/`, `${server}services/[^/]+/index[.]ts$`],
      },
    },
    {
      name: 'app-by-the-index',
      severity: 'error',
      from: { path: `${server}(app/|main|config)`, pathNot: test },
      to: { path: `${server}services/`, pathNot: `${server}services/[^/]+/index[.]ts$` },
    },
    {
      name: 'service-knows-no-edge',
      comment: 'A use case does not know how it was called.',
      severity: 'error',
      from: { path: `${server}services/`, pathNot: ['-(routes|events)[.]ts$', '/index[.]ts$', test] },
      to: { path: '-(routes|events)[.]ts$|node_modules/(express|socket[.]io)/' },
    },
    {
      name: 'store-knows-no-use-case',
      severity: 'error',
      from: { path: `${server}services/.*-store[.]ts$` },
      to: { path: `${server}services/.*-(service|view|jobs)[.]ts$` },
    },
    {
      name: 'documents-stay-in-stores',
      comment: 'Edges and views see no Mongoose and no driver.',
      severity: 'error',
      from: { path: `${server}services/.*-(routes|events|view)[.]ts$` },
      to: { path: ['node_modules/(mongoose|mongodb)/', '-store[.]ts$'], dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'no-development-in-production',
      comment: 'Loaded by app/development.ts, on demand, and by tests.',
      severity: 'error',
      from: { path: '^packages/(server|client|contract)/src/', pathNot: ['app/development[.]ts$', test] },
      to: { path: '^packages/(local-services|apple-simulator|testkit)/' },
    },
    {
      name: 'client-on-contract-only',
      severity: 'error',
      from: { path: '^packages/client/src/', pathNot: test },
      to: { pathNot: ['^packages/(client|contract)/src/', 'node_modules/socket[.]io-client/'] },
    },
  ],
  options: {
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '(^|/)dist/' },
    enhancedResolveOptions: {
      conditionNames: ['@pufftrack/source', 'import', 'node', 'default'],
      exportsFields: ['exports'],
    },
  },
};
