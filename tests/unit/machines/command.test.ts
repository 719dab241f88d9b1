import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { typeCommand } from '../../../machines/command.ts';

/** A machine that answers a command with what is given, and keeps what it was asked. */
async function answering(
  answer: string,
): Promise<{ port: number; asked: Promise<string> } & AsyncDisposable> {
  const asked = Promise.withResolvers<string>();
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.once('data', (data) => {
      asked.resolve(String(data));
      socket.end(answer);
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return {
    port: address.port,
    asked: asked.promise,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

describe('a command typed on a machine', () => {
  it('says who types what, and hears its lines, its process group and its status', async () => {
    await using machine = await answering('@ 41\none\n= two\n\n= 3\n');
    const heard: string[] = [];
    const { port } = machine;
    const command = typeCommand({ port, token: 'secret' }, 'learner', 'ls', (line) =>
      heard.push(line),
    );
    expect(await command.ended).toBe(3);
    expect(heard).toEqual(['one', '= two', '']);
    expect(command.group).toBe(41);
    expect(await machine.asked).toBe(`secret learner ${btoa('ls')}\n`);
  });

  it('has not ended well where the machine goes down meanwhile', async () => {
    await using machine = await answering('@ 41\nhalf\n');
    const command = typeCommand({ port: machine.port, token: 'secret' }, 'root', 'sleep 60');
    await expect(command.ended).rejects.toThrow('the connection ended after: half');
  });
});
