/** Reading a lab again as it is written now. Node keeps every module that it has read, so each read makes one more. */
import { registerHooks } from 'node:module';
import { pathToFileURL } from 'node:url';

/** Marks an import as one that is to be read afresh, with all that it imports of the labs. */
const FRESH = '?fresh=';
let reads = 0;

/** What is appended to a module's address to read it afresh; another one each time. */
export function freshQuery(): string {
  reads += 1;
  return FRESH + reads;
}

/** From now on, what is read afresh in one of these folders has what it imports of them read afresh as well. */
export function freshWithin(roots: readonly string[]): Disposable {
  const labs = roots.map((root) => pathToFileURL(`${root}/`).href);
  const hooks = registerHooks({
    resolve: (specifier, context, next) => {
      const found = next(specifier, context);
      const [, fresh] = context.parentURL?.split(FRESH) ?? [];
      const isOurs = labs.some((each) => found.url.startsWith(each)) && !found.url.includes(FRESH);
      return fresh !== undefined && isOurs ? { ...found, url: found.url + FRESH + fresh } : found;
    },
  });
  return { [Symbol.dispose]: () => hooks.deregister() };
}
