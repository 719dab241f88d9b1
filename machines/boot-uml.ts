import type { BootOptions } from './boot-here.ts';
import type { Boot } from './machine.ts';

export function bootUml(_options: BootOptions & { readonly cache: string }): Boot {
  return async () => {
    throw new Error('not yet');
  };
}
