import { type ValueDefinition, value } from '#lab';
import { store, stored } from './checks/names.ts';

/** Characters of a digest that the prose shows. */
const SHORT_DIGEST = 'sha256:'.length + 12;

/** What the prose says in the learner's own numbers. */
export const values: Readonly<Record<string, ValueDefinition>> = {
  repositories: value(
    '<names>',
    async (sandbox) => (await store.repositories(sandbox)) || undefined,
  ),
  digest: value('<digest>', async (sandbox) =>
    (await stored.digest(sandbox))?.slice(0, SHORT_DIGEST),
  ),
};
