import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { KEPT } from '../container/first-steps.ts';
import { type ServiceMachine, serviceMachine } from './machine.ts';

/** A disk, a boot, and an engine's packages. */
const BOOT_MS = 30 * 60_000;
/** Images, pages, hosts and a reboot, on a busy processor. */
const SERVICE_MS = 40 * 60_000;
const READY = /^Quayside is ready: (\S+)$/;
const WORK = z.object({ said: z.string(), ticked: z.array(z.string()) });
const INSTALL = 'QUAYSIDE_POOL=0 npm run service -- install --class "Docker 101"';

let machine: ServiceMachine;
const stopped = new AbortController();
beforeAll(async () => {
  machine = await serviceMachine(stopped.signal);
}, BOOT_MS);
afterAll(async () => {
  stopped.abort();
  await machine?.[Symbol.asyncDispose]();
});

/** Installs a service. @returns where its class is joined */
async function installed(command: string): Promise<string> {
  const lines = await machine.type(command);
  const [, url] = lines.map((line) => READY.exec(line)).find((found) => found !== null) ?? [];
  if (url === undefined) throw new Error(`no ready line: ${lines.join('\n')}`);
  return url;
}

/** What a learner of the class meets. @param part `join` for a new one, `again` for the same */
async function learner(part: 'join' | 'again', url: string, user = 'root') {
  const script = `node_modules/.bin/node tests/service/learner.ts ${part} '${url}' /var/tmp/${user}`;
  const lines = await machine.type(script);
  return WORK.parse(JSON.parse(lines.findLast((line) => line.startsWith('{')) ?? ''));
}

/** Waits until a service that systemd starts by itself serves. */
const untilServed = (url: string) =>
  machine.type(
    `for i in $(seq 300); do node -e "fetch('${new URL(url).origin}/healthz').then((a) => process.exit(a.ok ? 0 : 1), () => process.exit(1))" && exit 0; sleep 1; done; journalctl -u quayside --no-pager | tail -20; exit 1`,
  );

const one = async (text: string) => (await machine.type(text)).join('\n').trim();
const hosts = (docker = 'docker') =>
  one(`${docker} ps --quiet --filter label=quayside.host | wc -l`);
const pidOf = (name: string) => one(`systemctl show --property MainPID --value ${name}`);

test(
  'a service is installed, stopped without its hosts, started again when it fails and with the machine, and removed',
  async () => {
    const url = await installed(INSTALL);
    expect(await one('npm run -s service -- status')).toContain('active (running)');
    const begun = await learner('join', url);
    expect(begun.said).toContain('42 on server01');
    expect(begun.ticked).not.toEqual([]);
    const many = await hosts();
    expect(Number(many)).toBeGreaterThan(1);

    await machine.type('systemctl stop quayside');
    expect(await hosts(), 'hosts stay').toBe(many);
    await machine.type('systemctl start quayside');
    await untilServed(url);
    expect((await learner('again', url)).said).toContain(`kept: ${KEPT}`);

    const pid = await pidOf('quayside');
    await machine.type(`kill -KILL ${pid}`);
    await untilServed(url);
    expect(await pidOf('quayside')).not.toBe(pid);
    expect((await learner('again', url)).said).toContain(`kept: ${KEPT}`);

    await machine.reboot();
    await untilServed(url);
    expect((await learner('again', url)).ticked).toEqual(expect.arrayContaining(begun.ticked));

    await machine.type('npm run service -- remove');
    expect(await one('systemctl list-unit-files --no-legend "quayside*" || true')).toBe('');
    expect(await hosts(), 'hosts stay').toBe(many);
    expect(await one('npm run -s clean')).toContain('Removed 1 sandbox.');
    expect(await hosts()).toBe('0');
  },
  SERVICE_MS,
);

test(
  'an engine that the service has started is none of its processes, and runs on when it is stopped',
  async () => {
    const own = 'docker --host unix:///run/quayside/docker.sock';
    await machine.type('systemctl disable --now docker.socket docker.service');
    // Else the base would be made by debootstrap.
    await machine.type('npm run -s engine -- start');
    await machine.type(`${own} import - quayside/base:trixie </var/lib/quayside-base.tar`);
    await machine.type('npm run -s engine -- stop');

    const data = 'QUAYSIDE_DATA=/srv/quayside-own';
    const url = await installed(`${data} ${INSTALL}`);
    const daemon = await one('cat /run/quayside/engine.pid');
    expect(await one(`cat /proc/${daemon}/cgroup`)).not.toContain('quayside.service');
    expect(await one(`cat /proc/${daemon}/cgroup`)).toMatch(/run-\S+\.scope/);
    expect((await learner('join', url)).ticked).not.toEqual([]);
    const many = await hosts(own);
    await machine.type('systemctl stop quayside');
    expect(await one('systemctl show --property TasksCurrent --value quayside')).toMatch(/not set/);
    expect(await hosts(own)).toBe(many);
    await machine.type('systemctl start quayside');
    await untilServed(url);
    expect(await one('cat /run/quayside/engine.pid')).toBe(daemon);
    expect((await learner('again', url)).said).toContain(`kept: ${KEPT}`);
    await machine.type('npm run service -- remove');
    await machine.type(`${data} npm run -s clean && npm run -s engine -- stop`);
    await machine.type('systemctl enable --now docker.socket docker.service');
  },
  SERVICE_MS,
);

test(
  'a service of another user serves as that user',
  async () => {
    const data = '/srv/quayside-ann';
    await machine.type('adduser --system --group ann && usermod -aG docker ann');
    await machine.type(`install -d -o ann -g ann ${data}`);
    const url = await installed(
      `QUAYSIDE_DATA=${data} PORT=8000 ${INSTALL} --name anns --user ann`,
    );
    expect(await one(`ps -o user= -p ${await pidOf('anns')}`)).toBe('ann');
    const begun = await learner('join', url, 'ann');
    expect(begun.said).toContain('42 on server01');
    expect(begun.ticked).not.toEqual([]);
    await machine.type('npm run service -- remove --name anns');
    await machine.type(`QUAYSIDE_DATA=${data} npm run -s clean`);
  },
  SERVICE_MS,
);
