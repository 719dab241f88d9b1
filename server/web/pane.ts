import type { FastifyInstance } from 'fastify';
import type { Sessions } from '../session/sessions.ts';
import type { AllowList } from './allow-list.ts';

export function addPane(
  _app: FastifyInstance,
  _options: { readonly sessions: Sessions; readonly allowList: () => AllowList },
): void {}
