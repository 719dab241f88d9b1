import swagger, { type SwaggerTransformObject } from '@fastify/swagger';
import type { FastifyInstance } from 'fastify';
import {
  createJsonSchemaTransform,
  createJsonSchemaTransformObject,
} from 'fastify-type-provider-zod';
import type { z } from 'zod';

type Override = NonNullable<z.core.ToJSONSchemaParams['override']>;

/** Says of an answer what a reader may rely on: it may gain members, and an empty one has no body. */
const override: Override = ({ zodSchema, jsonSchema }) => {
  const { def } = zodSchema._zod;
  if (def.type === 'object' && !def.catchall) delete jsonSchema.additionalProperties;
  if (def.type === 'undefined') jsonSchema.type = 'null';
  // Of a list it is the types in our own code that forbid to write.
  if (def.type === 'readonly') delete jsonSchema.readOnly;
};

const OPTIONS = { zodToJsonConfig: { override } };
const listSchemas = createJsonSchemaTransformObject(OPTIONS);

/** Lists the named schemas. The library lists each as it comes in as well, and these only go out. */
const transformObject: SwaggerTransformObject = (document) => {
  const api = listSchemas(document);
  const schemas = ('components' in api && api.components?.schemas) || {};
  for (const name of Object.keys(schemas)) if (name.endsWith('Input')) delete schemas[name];
  return api;
};

/**
 * Describes every route that is added from here on. `app.swagger()` has the whole.
 *
 * @param cookie the name of the learner's cookie
 * @param basePath the path that all routes are below
 */
export async function describeRoutes(
  app: FastifyInstance,
  cookie: string,
  basePath: string,
): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Quayside',
        version: '1',
        description:
          'Labs on real hosts. Requests that change something carry an Origin header that names this server. WebSocket paths are described in docs/automation.md.',
      },
      ...(basePath !== '' && { servers: [{ url: basePath }] }),
      components: { securitySchemes: { cookie: { type: 'apiKey', in: 'cookie', name: cookie } } },
      security: [{ cookie: [] }],
    },
    transform: createJsonSchemaTransform(OPTIONS),
    transformObject,
  });
}
