import { basename } from 'node:path';
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { fileView, folderView, savedView } from '#schemas';
import { QuaysideError } from '../base/errors.ts';
import { TRANSFER_BYTES } from '../files/host-files.ts';
import type { Edge } from './edge.ts';
import { RATE_LIMITS } from './rate-limits.ts';
import { type Api, answering, answeringNothing, PARAMS, QUERIES } from './schemas.ts';

type OfHost = Pick<FastifyRequest, 'learner'> & {
  readonly params: { readonly lab: string; readonly host: string };
};

const BYTES = 'application/octet-stream';
/** HTTP: the body is larger than the route takes. */
const TOO_LARGE = 413;

/** The files of a learner's hosts: see the foot of `protocol/session.ts`. */
export function addFileRoutes(app: Api, { sessions }: Edge): void {
  const filesOf = ({ learner, params: { lab, host } }: OfHost) =>
    sessions.of(learner, lab).files(host);
  const host = '/api/labs/:lab/hosts/:host';
  const ofPath = { params: PARAMS.labAndHost, querystring: QUERIES.path };
  app.addContentTypeParser(BYTES, { parseAs: 'buffer' }, (_request, body, done) =>
    done(null, body),
  );

  app.get(
    `${host}/folder`,
    answering('What is in a folder of a host', folderView, ofPath, RATE_LIMITS.files),
    (request) => filesOf(request).list(request.query.path),
  );
  app.get(
    `${host}/file`,
    answering('A text file of a host', fileView, ofPath, RATE_LIMITS.files),
    (request) => filesOf(request).read(request.query.path),
  );
  app.get(
    `${host}/download`,
    answering('The bytes of a file', z.any().describe(BYTES), ofPath, RATE_LIMITS.files),
    async (request, reply) => {
      const { path } = request.query;
      const bytes = await filesOf(request).download(path);
      const name = encodeURIComponent(basename(path).toWellFormed());
      return reply
        .header('content-type', BYTES)
        .header('content-disposition', `attachment; filename*=UTF-8''${name}`)
        .send(bytes);
    },
  );
  app.post(
    `${host}/move`,
    answeringNothing(
      'Give a file or a folder of a host another path, where there is nothing yet',
      { params: PARAMS.labAndHost, querystring: QUERIES.pathAndTarget },
      RATE_LIMITS.files,
    ),
    (request) => filesOf(request).move(request.query.path, request.query.to),
  );
  app.delete(
    `${host}/file`,
    answeringNothing(
      'Remove a file of a host, or a folder with all that is in it',
      ofPath,
      RATE_LIMITS.files,
    ),
    (request) => filesOf(request).remove(request.query.path),
  );
  app.put(
    `${host}/file`,
    {
      ...answering(
        `Write a file, unless it is no longer that version; the body is its bytes (${BYTES})`,
        savedView,
        { params: PARAMS.labAndHost, querystring: QUERIES.pathAndVersion },
        RATE_LIMITS.files,
      ),
      bodyLimit: TRANSFER_BYTES,
      errorHandler: (error) => {
        throw error.statusCode === TOO_LARGE ? tooLarge() : error;
      },
    },
    (request) => {
      const { path, version } = request.query;
      return filesOf(request).write(path, bytesOf(request.body), version);
    },
  );
}

/** An empty body is an empty file. */
function bytesOf(body: unknown): Buffer {
  if (Buffer.isBuffer(body)) return body;
  if (body === undefined || body === null) return Buffer.alloc(0);
  throw new QuaysideError(
    'BAD_REQUEST',
    'The bytes of a file do not come so.',
    `Send them as ${BYTES}.`,
  );
}

function tooLarge(): QuaysideError {
  return new QuaysideError(
    'FILE_TOO_LARGE',
    `A file that is saved or uploaded has at most ${TRANSFER_BYTES / 1024 ** 2} MiB.`,
    'Make it smaller, or make it on the host.',
  );
}
