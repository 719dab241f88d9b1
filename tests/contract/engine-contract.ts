import { once } from 'node:events';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { defineLab } from '#lab';
import type { Dockerode, Engine } from '../../server/engine/engine.ts';
import { destroySandbox, liveSandboxes } from '../../server/sandbox/removal.ts';
import type { SandboxRuntime } from '../../server/sandbox/runtime.ts';
import { Sandbox } from '../../server/sandbox/sandbox.ts';

/** What the suite is run on. Disposing it removes what is left. */
export interface EngineStage extends AsyncDisposable {
  readonly runtime: SandboxRuntime;
  /** The owner of all that the suite makes. */
  readonly instance: string;
}

const LAB = defineLab({
  title: 'Contract',
  hosts: {
    server01: { address: '10.1.10.11/24', engine: true },
    client: { address: '10.1.10.100/24' },
  },
  browser: 'client',
  sections: [],
});

/** What every engine does alike, seen through the parts of it that the server uses. */
export function engineContract(open: () => Promise<EngineStage>): void {
  let stage: EngineStage;
  let engine: Engine;
  let number = 0;

  beforeAll(async () => {
    stage = await open();
    engine = stage.runtime.engine;
  });
  afterAll(async () => {
    await stage?.[Symbol.asyncDispose]();
  });

  /** A container of its own for each test: it sleeps, and carries a label that no other does. */
  async function made(more: Dockerode.ContainerCreateOptions = {}) {
    const label = `quayside.contract=${stage.instance}-${++number}`;
    const [key = '', value = ''] = label.split('=');
    const name = `${stage.instance}-${number}`;
    const container = await engine.docker.createContainer({
      name,
      Image: stage.runtime.hostImage,
      Entrypoint: ['tini', '--', 'sleep', 'infinity'],
      NetworkDisabled: true,
      Labels: { [key]: value },
      ...more,
      HostConfig: { NetworkMode: 'none', ...more.HostConfig },
    });
    const listed = (all = true) =>
      engine.docker.listContainers({ all, filters: { label: [label] } });
    return {
      container,
      name,
      label,
      listed,
      [Symbol.asyncDispose]: () => container.remove({ force: true }).catch(() => undefined),
    };
  }

  async function running(more?: Dockerode.ContainerCreateOptions) {
    const it = await made(more);
    await it.container.start();
    return it;
  }

  const status = (code: number) => expect.objectContaining({ statusCode: code });

  test('it answers, so it is not away', async () => {
    expect(await engine.isAway()).toBe(false);
  });

  test('a container is created, runs and is gone, and the list tells each', async () => {
    await using it = await made();
    expect(await it.listed(false)).toEqual([]);
    expect(await it.listed()).toMatchObject([{ Id: it.container.id, State: 'created' }]);
    await it.container.start();
    const { State } = await it.container.inspect();
    expect(State).toMatchObject({ Running: true, Paused: false });
    expect(State.Pid).toBeGreaterThan(0);
    expect(await it.listed(false)).toMatchObject([{ State: 'running' }]);
    await it.container.remove({ force: true });
    expect(await it.listed()).toEqual([]);
  });

  test('a name is given once', async () => {
    await using it = await made();
    await expect(made({ name: it.name })).rejects.toEqual(status(409));
  });

  test('what is not there is 404, what runs already is 304, what runs is not removed without force', async () => {
    await using it = await running();
    await expect(it.container.start()).rejects.toEqual(status(304));
    await expect(it.container.remove()).rejects.toEqual(status(409));
    await it.container.remove({ force: true });
    await expect(it.container.remove({ force: true })).rejects.toEqual(status(404));
    await expect(it.container.inspect()).rejects.toEqual(status(404));
    await expect(it.container.start()).rejects.toEqual(status(404));
  });

  test('a started container has another first process each time, and the same disk', async () => {
    await using it = await running();
    const { Pid } = (await it.container.inspect()).State;
    await it.container.stop({ t: 0 });
    expect((await it.container.inspect()).State).toMatchObject({ Running: false, Pid: 0 });
    await it.container.start();
    expect((await it.container.inspect()).State.Pid).not.toBe(Pid);
  });

  test('a container is restarted, whether it runs or not: another first process', async () => {
    await using it = await running();
    const { Pid } = (await it.container.inspect()).State;
    await it.container.restart({ t: 0 });
    const again = (await it.container.inspect()).State;
    expect(again).toMatchObject({ Running: true, Paused: false });
    expect(again.Pid).not.toBe(Pid);
    await it.container.stop({ t: 0 });
    await it.container.restart({ t: 0 });
    expect((await it.container.inspect()).State).toMatchObject({ Running: true });
    await it.container.remove({ force: true });
    await expect(it.container.restart({ t: 0 })).rejects.toEqual(status(404));
  });

  test('a paused container runs and takes no process', async () => {
    await using it = await running();
    await it.container.pause();
    expect((await it.container.inspect()).State).toMatchObject({ Running: true, Paused: true });
    await expect(engine.run(it.container.id, ['true'])).rejects.toEqual(status(409));
    await it.container.unpause();
    await expect(it.container.unpause()).rejects.toMatchObject({ statusCode: expect.any(Number) });
    expect(await engine.run(it.container.id, ['true'])).toMatchObject({ status: 0 });
  });

  test('a volume is made with its container, kept while that is there, and found by its label', async () => {
    const volume = `${stage.instance}-disk-${number}`;
    const label = { 'quayside.contract.disk': volume };
    const mount = {
      Type: 'volume' as const,
      Source: volume,
      Target: '/disk',
      VolumeOptions: { NoCopy: true, Labels: label, DriverConfig: { Name: 'local', Options: {} } },
    };
    const found = async () => {
      const filters = { label: [`quayside.contract.disk=${volume}`] };
      return ((await engine.docker.listVolumes({ filters })).Volumes ?? []).map(({ Name }) => Name);
    };
    await using it = await running({ HostConfig: { Mounts: [mount] } });
    expect(await found()).toEqual([volume]);
    await expect(engine.docker.getVolume(volume).remove()).rejects.toEqual(status(409));
    await it.container.remove({ force: true, v: true });
    expect(await found()).toEqual([volume]);
    await engine.docker.getVolume(volume).remove();
    await expect(engine.docker.getVolume(volume).remove()).rejects.toEqual(status(404));
    expect(await found()).toEqual([]);
  });

  test('a process tells what it prints and how it ends', async () => {
    await using it = await running();
    expect(await engine.run(it.container.id, ['echo', 'hello'])).toMatchObject({
      status: 0,
      stdout: 'hello\n',
    });
    expect(await engine.run(it.container.id, ['sh', '-c', 'exit 3'])).toMatchObject({ status: 3 });
    expect(await engine.run(it.container.id, ['cat'], { input: 'typed' })).toMatchObject({
      stdout: 'typed',
    });
    await it.container.stop({ t: 0 });
    await expect(engine.run(it.container.id, ['true'])).rejects.toEqual(status(409));
  });

  test('a dialed process is spoken to, and is let go', async () => {
    await using it = await running();
    await using dialed = await engine.dial(it.container.id, ['cat']);
    dialed.stream.write('one');
    expect(String(await once(dialed.stream, 'data'))).toBe('one');
    dialed.stream.end();
    dialed.stream.resume();
    expect(await dialed.exited).toBe(0);
  });

  test('a process is given up by its signal', async () => {
    await using it = await running();
    const stop = new AbortController();
    const run = engine.run(it.container.id, ['sleep', '30'], { signal: stop.signal });
    stop.abort(new Error('enough'));
    await expect(run).rejects.toThrow('enough');
    await expect(engine.run(it.container.id, ['true'], { signal: stop.signal })).rejects.toThrow(
      'enough',
    );
  });

  const attend = (...program: string[]) =>
    engine.attend({
      Image: stage.runtime.hostImage,
      Entrypoint: program,
      Labels: { 'quayside.attended': stage.instance },
      NetworkDisabled: true,
    });
  const attended = async () => {
    const filters = { label: [`quayside.attended=${stage.instance}`] };
    return (await engine.docker.listContainers({ all: true, filters })).length;
  };

  test('an attended container answers on its line, and is gone when the line has been let go', async () => {
    {
      await using line = await attend('tini', '--', 'cat');
      line.stream.write('hello');
      expect(String(await once(line.stream, 'data'))).toBe('hello');
      expect(await attended()).toBe(1);
    }
    expect(await attended()).toBe(0);
  });

  test('an attended container that ended by itself can be let go as well', async () => {
    const line = await attend('true');
    line.stream.resume();
    await once(line.stream, 'end');
    await line[Symbol.asyncDispose]();
    expect(await attended()).toBe(0);
  });

  test('an attended container whose program cannot be started leaves nothing', async () => {
    await expect(attend('/no/such/program')).rejects.toThrow(/no such file/);
    expect(await attended()).toBe(0);
  });

  test('the starts, ends and pauses of what carries a label are told, until it is enough', async () => {
    await using it = await made();
    const enough = new AbortController();
    const told: string[] = [];
    const all = Promise.withResolvers<void>();
    const listening = (async () => {
      for await (const { action, container, labels } of engine.events(it.label, enough.signal)) {
        expect(container).toBe(it.container.id);
        expect(labels).toMatchObject({ 'quayside.contract': it.label.split('=')[1] });
        told.push(action);
        if (action === 'die') all.resolve();
      }
    })();
    // The stream begins when the engine has answered, which nothing tells: a request after it is answered after it.
    await engine.docker.ping();
    await using other = await running();
    await it.container.start();
    await it.container.pause();
    await it.container.unpause();
    await it.container.stop({ t: 0 });
    await all.promise;
    expect(told.slice(0, 3)).toEqual(['start', 'pause', 'unpause']);
    // Where a pause is short and the machine is busy, the engine tells of it once more.
    expect(new Set(told)).toEqual(new Set(['start', 'pause', 'unpause', 'die']));
    expect(told.filter((action) => action === 'start' || action === 'die')).toHaveLength(2);
    expect(told.at(-1)).toBe('die');
    expect(other.label).not.toBe(it.label);
    enough.abort();
    await listening;
  });

  test('a sandbox is made, found by its labels, mended and removed', async () => {
    const { runtime, instance } = stage;
    const sandbox = new Sandbox(runtime, LAB, { instance, sandbox: `${instance}-s`, session: 'x' });
    const phases: string[] = [];
    await sandbox.reconcile((host, phase) => void phases.push(`${host} ${phase}`));
    expect(new Set(phases)).toContain('server01 ready');
    expect(await liveSandboxes(runtime, instance)).toEqual([`${instance}-s`]);
    const host = sandbox.host('server01');
    expect(host.isAsleep).toBe(true);
    await host.noticeWake(new AbortController().signal);
    await expect(host.docker.ping()).rejects.toThrow();
    expect(host.isAsleep).toBe(true);
    await host.wake(new AbortController().signal);
    expect(host.isAsleep).toBe(false);
    expect(String(await host.docker.ping())).toBe('OK');
    expect(await host.docker.listContainers({ all: true })).toEqual([]);
    const { status: answered, output } = await host.exec(
      ['ip', '-j', '-4', 'route', 'show'],
      new AbortController().signal,
    );
    expect([answered, Array.isArray(JSON.parse(output))]).toEqual([0, true]);
    await engine.docker.getContainer(host.container).stop({ t: 0 });
    await sandbox.reconcile(() => undefined);
    expect(sandbox.host('server01').container).toBe(host.container);
    // It has run on its disk: it sleeps no more.
    expect(host.isAsleep).toBe(false);
    expect(String(await host.docker.ping())).toBe('OK');
    await sandbox.destroy();
    expect(await liveSandboxes(runtime, instance)).toEqual([]);
    await destroySandbox(runtime, `${instance}-s`);
  });
}
