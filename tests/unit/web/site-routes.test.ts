import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type IncomingHttpHeaders, request } from 'node:http';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { precompress } from '../../../server/site/precompress.ts';
import { cspFor } from '../../../server/web/csp.ts';
import { type Stage, stage } from './stage.ts';

const SCRIPT = 'document.documentElement.dataset.theme = "dark";';
const HTML = `<!doctype html><script>${SCRIPT}</script><script src="/_astro/a.1234.js"></script><p>${'Hello. '.repeat(300)}`;

interface Site extends AsyncDisposable {
  readonly web: Stage;
  readonly dist: string;
}

async function site(): Promise<Site> {
  const dist = await mkdtemp(join(tmpdir(), 'quayside-site-'));
  const files = {
    'index.html': HTML,
    '404.html': '<!doctype html><h1>No such page</h1>',
    'labs/docker-networking/index.html': HTML,
    '_astro/a.1234.js': `// ${'x'.repeat(2000)}`,
    'favicon.svg': '<svg/>',
    '.built-from': 'secret',
  };
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(dist, name)), { recursive: true });
    await writeFile(join(dist, name), text);
  }
  await precompress(dist);
  const web = await stage({ dist });
  return {
    web,
    dist,
    [Symbol.asyncDispose]: async () => {
      await web[Symbol.asyncDispose]();
      await rm(dist, { recursive: true });
    },
  };
}

interface Raw {
  readonly status: number | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** What comes over the wire, neither decompressed nor led on nor kept. */
function raw(port: number, path: string, headers: Record<string, string> = {}): Promise<Raw> {
  return new Promise((resolve, reject) => {
    request({ host: '127.0.0.1', port, path, headers }, async (response) => {
      const body = Buffer.concat(await response.toArray());
      resolve({ status: response.statusCode, headers: response.headers, body });
    })
      .on('error', reject)
      .end();
  });
}

describe('the built site', () => {
  test.each(['/', '/labs/docker-networking/', '/labs/docker-networking/?from=x'])(
    'serves the page %s without login',
    async (path) => {
      await using on = await site();
      const answer = await on.web.fetch(path);
      expect([answer.status, answer.headers.get('content-type')]).toEqual([
        200,
        'text/html; charset=utf-8',
      ]);
      expect(await answer.text()).toBe(HTML);
    },
  );

  test('leads a folder on to its page', async () => {
    await using on = await site();
    const answer = await on.web.fetch('/labs/docker-networking');
    expect([answer.status, answer.headers.get('location')]).toEqual([
      301,
      '/labs/docker-networking/',
    ]);
  });

  test.each([
    '//evil.example/labs',
    '//evil.example/..',
    '/\\evil.example/labs',
    '/%2f%2fevil.example',
  ])('leads nobody elsewhere by %s', async (path) => {
    await using on = await site();
    const { headers } = await raw(on.web.port, path);
    expect(String(headers.location ?? '/')).toMatch(/^\/(?![/\\])/);
  });

  test('keeps hashed files for ever, and asks again for all else', async () => {
    await using on = await site();
    const hashed = await on.web.fetch('/_astro/a.1234.js');
    expect(hashed.headers.get('cache-control')).toBe('public, max-age=31536000, immutable');
    const page = await on.web.fetch('/', { headers: { 'accept-encoding': 'gzip, br' } });
    expect(page.headers.get('cache-control')).toBe('no-cache');
    const etag = page.headers.get('etag') ?? '';
    const again = await raw(on.web.port, '/', {
      'if-none-match': etag,
      'accept-encoding': 'gzip, br',
    });
    expect(again.status).toBe(304);
  });

  test('comes compressed to whoever takes it', async () => {
    await using on = await site();
    const br = await raw(on.web.port, '/', { 'accept-encoding': 'gzip, br' });
    expect(br.headers['content-encoding']).toBe('br');
    expect(brotliDecompressSync(br.body).toString()).toBe(HTML);
    const gz = await raw(on.web.port, '/labs/docker-networking/', { 'accept-encoding': 'gzip' });
    expect(gz.headers['content-encoding']).toBe('gzip');
    expect(gunzipSync(gz.body).toString()).toBe(HTML);
    expect(gz.headers['content-type']).toBe('text/html; charset=utf-8');
    expect(gz.headers['content-security-policy']).toContain('sha256-');
    const plain = await raw(on.web.port, '/');
    expect(plain.headers['content-encoding']).toBeUndefined();
    expect(plain.body.toString()).toBe(HTML);
  });

  test('runs the scripts that were built into a page, and no other', async () => {
    await using on = await site();
    const policy = (await on.web.fetch('/')).headers.get('content-security-policy') ?? '';
    const hash = createHash('sha256').update(SCRIPT).digest('base64');
    expect(policy).toContain(`script-src 'self' 'wasm-unsafe-eval' 'sha256-${hash}';`);
    expect(policy).not.toContain("script-src 'self' 'unsafe-inline'");
    await writeFile(join(on.dist, 'index.html'), '<script>changed()</script>');
    const changed = await raw(on.web.port, '/');
    const other = createHash('sha256').update('changed()').digest('base64');
    expect(changed.headers['content-security-policy']).toContain(other);
  });

  test('lets a worker of its own ask the site', async () => {
    await using on = await site();
    const policy = (await on.web.fetch('/_astro/a.1234.js')).headers.get('content-security-policy');
    expect(policy).toContain("default-src 'self'; script-src 'self' 'wasm-unsafe-eval';");
  });

  test('shows its own page where there is none, and says so to programs', async () => {
    await using on = await site();
    const page = await on.web.fetch('/nosuch/', { headers: { accept: 'text/html' } });
    expect([page.status, await page.text()]).toMatchObject([
      404,
      expect.stringContaining('No such page'),
    ]);
    expect(page.headers.get('content-security-policy')).toContain("default-src 'self'");
    const other = await on.web.fetch('/nosuch.js');
    expect([other.status, await other.json()]).toMatchObject([404, { code: 'NOT_FOUND' }]);
  });

  test.each([
    '/.built-from',
    '/../package.json',
    '/..%2fpackage.json',
    '/labs/%2e%2e/%2e%2e/x',
    '/a%00b',
  ])('has no way out of its folder by %s', async (path) => {
    await using on = await site();
    const { body } = await raw(on.web.port, path);
    expect(JSON.parse(body.toString())).toMatchObject({
      code: expect.stringMatching(/NOT_FOUND|BAD_REQUEST/),
    });
  });

  test('that is not there yet has a page that says what to do', async () => {
    await using web = await stage();
    const answer = await web.fetch('/labs/docker-networking/');
    expect(answer.status).toBe(503);
    expect(await answer.text()).toContain('npm start');
  });
});

describe("a page's policy", () => {
  test('allows the very text between the tags, however it is written', () => {
    const hash = (text: string) => createHash('sha256').update(text).digest('base64');
    const policy = cspFor(
      '<SCRIPT type="module"> a < b </SCRIPT><script src="x.js">ignored</script><script data-src="1">c\r\nd</script>',
    );
    expect(policy).toContain(hash(' a < b '));
    expect(policy).toContain(hash('c\nd'));
    expect(policy).not.toContain(hash('ignored'));
  });
});
