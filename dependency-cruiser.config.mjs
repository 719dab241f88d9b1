// Which part of the project may import which: one table, held by `npm run check`.
//
//   npx depcruise server

/**
 * The folders of server/, lowest last. Each may import the `values` of its row, and only types of its `types`;
 * all may import the authoring kit (lab/) and the protocol. main.ts and app.ts compose, so they may import everything.
 */
export const FOLDERS = {
  cli: {
    values: ['class', 'capacity', 'swarm', 'store', 'site', 'labs', 'sandbox', 'engine', 'base'],
  },
  web: { values: ['class', 'session', 'terminal', 'files', 'base'], types: ['browser'] },
  class: { values: ['base'], types: ['session', 'store'] },
  session: {
    values: [
      'capacity',
      'store',
      'signals',
      'checks',
      'guide',
      'terminal',
      'browser',
      'files',
      'sandbox',
      'base',
    ],
    types: ['labs', 'engine'],
  },
  capacity: { values: ['sandbox', 'base'], types: ['terminal', 'store'] },
  swarm: { values: ['sandbox', 'engine', 'base'] },
  guide: { values: ['labs', 'base'], types: ['terminal'] },
  signals: { values: ['sandbox', 'engine', 'base'] },
  checks: { values: ['base'], types: ['store'] },
  terminal: { values: ['base'] },
  browser: { values: ['engine', 'base'] },
  files: { values: ['engine', 'base'], types: ['sandbox'] },
  store: { values: ['base'] },
  sandbox: { values: ['engine', 'base'] },
  engine: { values: ['base'] },
  site: { values: ['base'] },
  labs: { values: ['base'] },
  base: { values: [] },
};

/** Libraries that one part of server/ knows; the others speak to that part. */
const LIBRARIES = [
  { library: '(^|/)node_modules/dockerode/', folder: 'engine' },
  { library: '(^|/)node_modules/node-pty/', folder: 'terminal' },
  // Node's only way to the locks of a file is SQLite's.
  { library: '^(node:)?sqlite$', folder: 'store', also: 'base/file-lock\\.ts' },
  { library: '(^|/)node_modules/(fastify|@fastify|fastify-[^/]+|ws)/', folder: 'web' },
];

/** One row of FOLDERS as rules. */
function folderRules([folder, { values, types = [] }]) {
  const known = [folder, ...values, ...types];
  const rules = [
    {
      name: `server/${folder}`,
      comment: `server/${folder} may import ${[...values, ...types].join(', ') || 'none'} of the folders of server/.`,
      severity: 'error',
      from: { path: `^server/${folder}/` },
      to: { path: `^server/(?!(${known.join('|')})/)` },
    },
  ];
  if (types.length > 0) {
    rules.push({
      name: `server/${folder}-types`,
      comment: `server/${folder} may import only types of ${types.join(', ')}.`,
      severity: 'error',
      from: { path: `^server/${folder}/` },
      to: { path: `^server/(${types.join('|')})/`, dependencyTypesNot: ['type-only'] },
    });
  }
  return rules;
}

/** @type {import('dependency-cruiser').IConfiguration} */
export default {
  forbidden: [
    ...Object.entries(FOLDERS).flatMap(folderRules),
    ...LIBRARIES.map(({ library, folder, also }) => ({
      name: `library-of-${folder}`,
      comment: `Only server/${folder} knows this library.`,
      severity: 'error',
      from: {
        path: '^(server|protocol|setup)/',
        pathNot: [`^server/${folder}/`, ...(also ? [`^server/${also}$`] : [])],
      },
      to: { path: library },
    })),
    {
      name: 'library-of-the-kit',
      comment:
        'The kit names types of Docker’s client, and runs two small libraries that compute and touch nothing.',
      severity: 'error',
      from: { path: '^lab/' },
      to: {
        path: '(^|/)node_modules/',
        pathNot: '(^|/)node_modules/(ipaddr\\.js|fastest-levenshtein)/',
        dependencyTypesNot: ['type-only'],
      },
    },
    {
      name: 'sandbox-by-capacity',
      comment: 'Only server/capacity hands out sandboxes; the others know their type.',
      severity: 'error',
      from: { path: '^server/', pathNot: '^server/(capacity|sandbox)/' },
      to: {
        path: '^server/sandbox/(sandbox|removal)\\.ts$',
        dependencyTypesNot: ['type-only'],
      },
    },
    {
      name: 'lab',
      comment: 'A lab and its kit import neither the server nor the pages.',
      severity: 'error',
      from: { path: '^(lab|setup/new-lab|src/content/docs/labs)/' },
      to: { path: '^(src/(?!content/docs/labs/)|(server|lab-test|client-driver|tests|bench)/)' },
    },
    {
      name: 'protocol',
      comment: 'Both sides speak the protocol; it imports neither.',
      severity: 'error',
      from: { path: '^protocol/' },
      to: { path: '^(?!protocol/)', pathNot: '(^|/)node_modules/' },
    },
    {
      name: 'pages',
      comment:
        'The pages speak to the server over the protocol. The build of the site reads labs as the server does.',
      severity: 'error',
      from: { path: '^src/' },
      to: { path: '^(server/(?!labs/)|(lab-test|client-driver|tests|bench)/)' },
    },
    {
      name: 'lab-test',
      comment:
        'A lab is tested through the server’s edge. Only these files start a server or look behind it.',
      severity: 'error',
      from: { path: '^lab-test/', pathNot: '^lab-test/(main|test-server|probe)\\.ts$' },
      to: { path: '^(server/(?!labs/)|src/(?!content/docs/labs/))' },
    },
    {
      name: 'client-driver',
      comment:
        'The scripted learner knows the server as a browser does, and reads pages and screens as the server’s labs do.',
      severity: 'error',
      from: { path: '^client-driver/' },
      to: { path: '^(server/(?!labs/)|(src|lab-test|tests|bench)/)' },
    },
    {
      name: 'only-tests-import-tests',
      comment: 'What tests and benches share is in client-driver/ or server/.',
      severity: 'error',
      from: { path: '^(?!tests/)' },
      to: { path: '^tests/' },
    },
    {
      name: 'only-benches-import-benches',
      comment: 'What tests and benches share is in client-driver/ or server/.',
      severity: 'error',
      from: { path: '^(?!bench/)' },
      to: { path: '^bench/' },
    },
    {
      name: 'machines',
      comment: 'Machines are booted by a command of its own, by its tests and by benches.',
      severity: 'error',
      from: { path: '^(?!(machines|tests|bench)/)' },
      to: { path: '^machines/' },
    },
    {
      name: 'no-circle',
      comment: 'Two files that import each other, even only types, are one file or lack a third.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
  ],
  options: {
    doNotFollow: { path: '(^|/)node_modules/' },
    exclude: { path: '^(dist|\\.astro|\\.quayside)/' },
    // Types count: an import of a type is an arrow as well.
    tsPreCompilationDeps: true,
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default', 'types'],
    },
  },
};
