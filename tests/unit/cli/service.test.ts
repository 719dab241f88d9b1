import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { serviceCommand } from '../../../server/cli/service-command.ts';
import { projectOf, type Service, unitText } from '../../../server/cli/unit.ts';

const read = (argv: readonly string[], env: NodeJS.ProcessEnv = {}) =>
  serviceCommand('/opt/quayside', argv, env);

function serviceOf(argv: readonly string[], env: NodeJS.ProcessEnv = {}): Service {
  const command = read(['install', ...argv], env);
  if (command.verb !== 'install') throw new Error(`it is to ${command.verb}`);
  return command.service;
}

function linesOf(argv: readonly string[], env: NodeJS.ProcessEnv = {}): readonly string[] {
  return unitText(serviceOf(argv, env)).split('\n');
}

test('a service runs npm start’s program with what it was told, in the project’s folder', () => {
  const env = { npm_node_execpath: '/usr/bin/node', PORT: '443', HOST: '0.0.0.0', USER: 'ann' };
  const lines = linesOf(['--class', 'Docker 101', '--labs', '../my-labs'], env);
  expect(lines).toContain('WorkingDirectory=/opt/quayside');
  expect(lines).toContain('Description=Quayside: Docker 101');
  expect(lines).toContain('ExecStartPre="/usr/bin/node" "setup/run.mjs" "server/cli/prepare.ts"');
  const own = [process.execPath, ...process.execArgv].map((each) => `"${each}"`).join(' ');
  expect(lines).toContain(
    `ExecStart=${own} "server/main.ts" "--class" "Docker 101" "--labs" "../my-labs"`,
  );
  expect(lines.filter((line) => line.startsWith('Environment='))).toEqual([
    'Environment="PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"',
    'Environment="HOST=0.0.0.0"',
    'Environment="PORT=443"',
  ]);
});

test('it stops the server alone, starts it again where it failed, and has the limits of docs/operating.md', () => {
  expect(linesOf([])).toEqual(
    expect.arrayContaining([
      'KillMode=process',
      'Restart=on-failure',
      'After=network-online.target docker.service',
      'CPUWeight=1000',
      'LimitNOFILE=524288',
      'WantedBy=multi-user.target',
    ]),
  );
});

test('relative labs are looked for from where the command was given', () => {
  expect(linesOf(['--labs', '../my-labs'], { INIT_CWD: '/home/ann' })).toContain(
    'Environment="INIT_CWD=/home/ann"',
  );
});

test('a Node that systemd would not find has its npm beside it', () => {
  const env = { npm_node_execpath: '/root/.nvm/v24/bin/node' };
  expect(linesOf([], env).find((line) => line.includes('PATH='))).toMatch(
    /^Environment="PATH=\/root\/\.nvm\/v24\/bin:\/usr\/local\/sbin:/,
  );
});

test('what systemd would read as its own is written so that it does not', () => {
  const lines = linesOf(['--class', 'a "b" \\ 100% $HOME'], { HOST: '50%' });
  expect(lines).toContain('Description=Quayside: a "b" \\ 100%% $HOME');
  expect(lines.find((line) => line.startsWith('ExecStart='))).toMatch(
    / "a \\"b\\" \\\\ 100%% \$\$HOME"$/,
  );
  expect(lines).toContain('Environment="HOST=50%%"');
});

test('a unit says whose it is', () => {
  expect(projectOf(unitText(serviceOf([])))).toBe('/opt/quayside');
  expect(projectOf('[Unit]\nDescription=another\n')).toBeUndefined();
});

test('its own options may stand anywhere', () => {
  expect(read(['--name', 'tuesdays', 'install', '--user=ann', '--class', 'x', '--print'])).toEqual({
    verb: 'install',
    name: 'tuesdays',
    print: true,
    service: expect.objectContaining({
      ...{ name: 'tuesdays', user: 'ann', argv: ['--class', 'x'], className: 'x' },
    }),
  });
  expect(read(['remove', '--name', 'tuesdays'])).toEqual({ verb: 'remove', name: 'tuesdays' });
  expect(read(['--status'])).toEqual({ verb: 'status', name: 'quayside' });
  expect(read(['install', '--help'])).toEqual({ verb: 'help' });
});

test('the class of a config file is that of the service', () => {
  const folder = mkdtempSync(join(tmpdir(), 'quayside-service-'));
  try {
    writeFileSync(join(folder, 'class.json'), '{ "class": "Docker 101" }');
    const { className } = serviceOf(['--config', join(folder, 'class.json')]);
    expect(className).toBe('Docker 101');
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test.each([
  [[], 'What is to be done is not said.'],
  [['instal'], 'npm run service does not know instal.'],
  [['remove', '--class', 'x'], 'remove takes no --class.'],
  [['install', '--clas', 'x'], 'There is no option --clas. Did you mean --class?'],
  [['install', '--name', 'A b'], '--name A b cannot be a service’s.'],
  [['install', '--user', 'a b'], '--user a b is no user’s name.'],
  [['install', '--class', 'x', '--new-secret'], 'A service that is told --new-secret'],
])('%j is refused with a sentence', (argv, message) => {
  expect(() => read(argv)).toThrow(message);
});

test('no secret of the environment gets into a unit, which everybody may read', () => {
  expect(() => serviceOf([], { QUAYSIDE_METRICS_TOKEN: 'x'.repeat(16) })).toThrow(
    'QUAYSIDE_METRICS_TOKEN would stand in the unit',
  );
  expect(() => serviceOf([], { https_proxy: 'http://ann:secret@proxy:3128' })).toThrow(
    'https_proxy has a password',
  );
  expect(linesOf([], { https_proxy: 'http://proxy:3128' })).toContain(
    'Environment="https_proxy=http://proxy:3128"',
  );
});
