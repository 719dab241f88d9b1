/** `npm run service`: hands the server to systemd, which starts it with the machine and again where it fails. */
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { execa } from 'execa';
import { QuaysideError } from '../base/errors.ts';
import { progress } from '../base/progress.ts';
import { readConfig } from './config.ts';
import { runProgram } from './failure.ts';
import { SERVICE_HELP, type ServiceCommand, serviceCommand } from './service-command.ts';
import { projectOf, unitText } from './unit.ts';

/** There while systemd runs the machine: sd_booted(3). */
const BOOTED = '/run/systemd/system';
/** systemctl answers in a second; `stop` waits for the server. */
const SYSTEMCTL_MS = 700_000;
/** The server's line when it serves, and systemd's when it has ended. */
const READY = /^Quayside is ready: /;
const ENDED = /\.service: (Main process exited|Failed with result)/;
/** A class's log, which is for programs; and what systemd says of an engine that runs on as it is meant to. */
const UNTOLD = /^\{|\.service: (Found left-over|This usually indicates|Unit process)/;
/** The first start builds images and pages. It goes on where nobody waits any longer. */
const FIRST_START_MS = 30 * 60_000;

const PROJECT = resolve(import.meta.dirname, '../..');

await runProgram(async () => {
  const command = serviceCommand(PROJECT, process.argv.slice(2), process.env);
  if (command.verb === 'help') {
    console.log(SERVICE_HELP);
    return;
  }
  if (command.verb === 'install') {
    // What npm start would refuse is refused now.
    readConfig(PROJECT, command.service.argv, process.env);
    if (command.print) {
      process.stdout.write(unitText(command.service));
      return;
    }
  }
  assertSystemd();
  const unit = `${command.name}.service`;
  const file = `/etc/systemd/system/${unit}`;
  if (command.verb === 'status') {
    assertInstalled(file, unit);
    process.exitCode = await shown('systemctl', ['status', '--no-pager', unit]);
    return;
  }
  assertRoot(command);
  if (command.verb === 'install') {
    assertOurs(file, unit);
    await assertUser(command.service.user);
    writeFileSync(file, unitText(command.service));
    await systemctl('daemon-reload');
    await systemctl('enable', '--quiet', unit);
    await start(unit);
    console.log(`\n${told(command.name, file)}`);
    return;
  }
  assertInstalled(file, unit);
  assertOurs(file, unit);
  await systemctl('disable', '--now', '--quiet', unit);
  rmSync(file);
  await systemctl('daemon-reload');
  progress(
    `${unit} is stopped and removed. The hosts run on: npm start takes them up again, npm run clean removes them.`,
  );
});

/** Starts it anew, and shows what it prints until it serves. */
async function start(unit: string): Promise<void> {
  const journal = execa(
    'journalctl',
    ['--unit', unit, '--follow', '--lines=0', '--output=cat', '--no-hostname'],
    { stdin: 'ignore', stderr: 'ignore', buffer: false, reject: false, timeout: FIRST_START_MS },
  );
  const lines = journal.iterable();
  await systemctl('reset-failed', unit).catch(() => undefined);
  await systemctl('restart', unit);
  for await (const line of lines) {
    if (!UNTOLD.test(line)) console.log(line);
    if (!READY.test(line) && !ENDED.test(line)) continue;
    // Leaving the loop waits for its end.
    journal.kill();
    if (ENDED.test(line)) {
      throw new QuaysideError(
        'CONFIG_INVALID',
        `${unit} does not start; it says why above. systemd tries again some times.`,
        `Mend that, and type npm run service -- install … again. All it said: journalctl -u ${unit}`,
      );
    }
    return;
  }
}

function told(name: string, file: string): string {
  return [
    `${name}.service runs, and starts with the machine. What it was told stands in ${file}.`,
    `  look at it        systemctl status ${name}`,
    `  what it says      journalctl -u ${name} -f`,
    `  the secret again  journalctl -u ${name} -o cat | grep secret`,
    `  stop, start       systemctl stop ${name} (the hosts run on); systemctl start ${name}`,
    '  other settings    npm run service -- install … again',
    `  remove            npm run service -- remove${name === 'quayside' ? '' : ` --name ${name}`}`,
  ].join('\n');
}

function assertSystemd(): void {
  if (existsSync(BOOTED)) return;
  throw new QuaysideError(
    'CONFIG_INVALID',
    'systemd does not run this machine, so it can keep no service.',
    'In a container or on another system: docker compose up (docs/operating.md). The unit alone: npm run service -- install --print …',
  );
}

function assertRoot({ verb }: ServiceCommand): void {
  if (process.getuid?.() === 0) return;
  throw new QuaysideError(
    'CONFIG_INVALID',
    'Only root may change what systemd runs.',
    `sudo npm run service -- ${verb} …`,
  );
}

function assertInstalled(file: string, unit: string): void {
  if (existsSync(file)) return;
  throw new QuaysideError(
    'CONFIG_INVALID',
    `There is no ${unit} here.`,
    'Make it: npm run service -- install --class <name>',
  );
}

/** @throws QuaysideError CONFIG_INVALID where the file is another program's, or another folder's */
function assertOurs(file: string, unit: string): void {
  if (!existsSync(file)) return;
  const project = projectOf(readFileSync(file, 'utf8'));
  if (project === PROJECT) return;
  throw new QuaysideError(
    'CONFIG_INVALID',
    project === undefined
      ? `${file} was not made by npm run service, and is left as it is.`
      : `${unit} is that of the Quayside in ${project}.`,
    project === undefined || !existsSync(project)
      ? `Give this one another name (--name <name>), or remove that one: systemctl disable --now ${unit} && rm ${file}`
      : `Give this one another name (--name <name>), or remove that one: cd ${project} && npm run service -- remove`,
  );
}

async function assertUser(user: string): Promise<void> {
  const { failed } = await execa('id', ['-u', '--', user], { reject: false, stdin: 'ignore' });
  if (!failed) return;
  throw new QuaysideError(
    'CONFIG_INVALID',
    `There is no user ${user} on this machine.`,
    `Make it, and let it use the engine: adduser --system --group ${user} && usermod -aG docker ${user}`,
  );
}

async function systemctl(...args: readonly string[]): Promise<void> {
  const { failed, stderr, shortMessage } = await execa('systemctl', args, {
    ...{ stdin: 'ignore', reject: false, timeout: SYSTEMCTL_MS },
  });
  if (!failed) return;
  throw new QuaysideError(
    'CONFIG_INVALID',
    `systemctl ${args.join(' ')} failed: ${stderr.trim() || shortMessage}`,
    `Try it by hand: systemctl ${args.join(' ')}`,
  );
}

/** @returns the status that it ended with */
async function shown(file: string, args: readonly string[]): Promise<number> {
  return (await execa(file, args, { stdio: 'inherit', reject: false })).exitCode ?? 1;
}
