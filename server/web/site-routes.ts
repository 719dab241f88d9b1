import { existsSync, globSync } from 'node:fs';
import { extname, join, relative, sep } from 'node:path';
import fastifyStatic from '@fastify/static';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { NOTES_FOLDER } from '../../protocol/notes-folder.ts';
import { cspFor, PageCsp } from './csp.ts';
import type { Edge } from './edge.ts';
import { page, plainPage, reads } from './html.ts';
import { httpError } from './http-errors.ts';

/** Astro puts a hash of the content into these files' names, so that they never change. */
const HASHED_FOLDER = '_astro';
const FOR_EVER = 'public, max-age=31536000, immutable';
/** Kept, but asked about each time; the ETag makes the answer a short 304. */
const ASK_AGAIN = 'no-cache';
/** For the instructor alone, whoever is at that browser next. */
const NEVER_KEPT = 'no-store';

/** Of whatever is no page: as a page's, without any script in itself. */
const FILE_POLICY = cspFor('');

const NOT_BUILT_PAGE = page(
  'The pages are not built yet',
  '<p>The server runs, but its pages are missing. Stop it and run <code>npm start</code>, which builds them.</p>',
);

/**
 * The built site: static, without login (there are no secrets in it), compressed ahead where `precompress` has been. A page
 * that has notes for the instructor is sent with them to the instructor of a class, and to nobody else.
 * Must be registered last, as it takes every path that nothing else took.
 *
 */
export async function addSite(
  app: FastifyInstance,
  dist: string,
  { basePath, cookies }: Pick<Edge, 'basePath' | 'cookies'>,
): Promise<void> {
  app.addHook('onRoute', (route) => {
    route.config = { ...route.config, public: true };
  });
  if (!existsSync(dist)) {
    app.get('/*', { schema: { hide: true } }, (request, reply) => {
      if (request.url.startsWith('/api/')) return reply.callNotFound();
      return plainPage(reply, 503, NOT_BUILT_PAGE);
    });
    return;
  }
  const policies = new PageCsp();
  // The file server leads from /labs to /labs/ and knows nothing of the base path.
  app.addHook('onSend', async (_request, reply) => {
    const { location } = reply.getHeaders();
    if (typeof location === 'string') reply.header('location', basePath + location);
  });
  const notes = join(dist, NOTES_FOLDER);
  /** The addresses of pages that have notes, as they are asked for, and the files with them. */
  const noted = new Map(
    globSync('**/*.html', { cwd: notes }).map((file) => [file.replace(/\.html$/, '/'), file]),
  );
  app.addHook('preHandler', async (request, reply) => {
    const file = noted.get((request.params as { readonly '*'?: string })['*'] ?? '');
    if (file === undefined || !cookies.isInstructor(request.headers.cookie)) return;
    return reply.sendFile(file, notes);
  });
  await app.register(fastifyStatic, {
    root: dist,
    redirect: true,
    preCompressed: true,
    dotfiles: 'ignore',
    cacheControl: false,
    setHeaders: (reply, path, stat) => {
      const file = path.replace(/\.(br|gz)$/, '');
      const hashed = relative(dist, file).split(sep)[0] === HASHED_FOLDER;
      const forInstructor = file.startsWith(notes + sep);
      const lasts = hashed ? FOR_EVER : ASK_AGAIN;
      reply.header('cache-control', forInstructor ? NEVER_KEPT : lasts);
      // The page itself, not its compressed twin, is what the browser hashes. A worker, such as the search's, goes by
      // the policy that its own script came with.
      const policy = extname(file) === '.html' ? policies.of(file, stat.mtimeMs) : FILE_POLICY;
      reply.header('content-security-policy', policy);
    },
  });
}

/** Answers what nothing else has answered: the site's own page to someone who reads, an error body to a program. */
export function answerNotFound(
  request: FastifyRequest,
  reply: FastifyReply,
  dist: string,
): FastifyReply {
  if (reads(request) && 'sendFile' in reply && existsSync(join(dist, '404.html'))) {
    return reply.code(404).sendFile('404.html');
  }
  throw httpError('NOT_FOUND');
}
