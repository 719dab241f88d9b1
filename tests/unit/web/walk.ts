import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { request } from 'node:http';
import type { FastifyInstance } from 'fastify';
import { expect } from 'vitest';

/** Every route there is, as the framework itself tells when it takes one in. */
export async function routesOf(
  open: () => Promise<AsyncDisposable & { readonly port: number }>,
): Promise<readonly { method: string; url: string }[]> {
  const found: { method: string; url: string }[] = [];
  const listen = (message: unknown): void => {
    const { fastify } = message as { fastify: FastifyInstance };
    fastify.addHook('onRoute', ({ method, url }) => {
      for (const each of [method].flat()) if (each !== 'HEAD') found.push({ method: each, url });
    });
  };
  subscribe('fastify.initialization', listen);
  await using web = await open();
  unsubscribe('fastify.initialization', listen);
  expect(web.port).toBeGreaterThan(0);
  return found;
}

/** Names that are none of this server's; `PORT` stands for its port. */
export const OTHER_NAMES = [
  'evil.example',
  'evil.example:PORT',
  '127.0.0.1',
  '127.0.0.1:1',
  'localhost.evil.example:PORT',
  '127.0.0.1:PORT.evil.example',
  'evil@127.0.0.1:PORT',
  'LOCALHOST.:PORT',
  '0.0.0.0:PORT',
];

/** What the pages of others, and programs that name none, send as their origin. */
export function otherOrigins(port: number): readonly (string | undefined)[] {
  return [
    undefined,
    '',
    'null',
    'http://evil.example',
    `https://127.0.0.1:${port}`,
    'http://127.0.0.1',
    `http://127.0.0.1:${port}.evil.example`,
    `http://127.0.0.1:${port}/`,
    `http://evil.example/http://127.0.0.1:${port}`,
    `HTTP://127.0.0.1:${port}`,
  ];
}

/** A request with any `Host` header, which `fetch` would not send. */
export function ask(
  port: number,
  method: string,
  path: string,
  headers: Record<string, string>,
): Promise<{ status: number | undefined; text: string; cors: boolean }> {
  return new Promise((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', port, method, path, headers }, async (response) => {
      const text = Buffer.concat(await response.toArray()).toString();
      const cors = 'access-control-allow-origin' in response.headers;
      resolve({ status: response.statusCode, text, cors });
    });
    sent.on('error', reject);
    sent.end();
  });
}
