/** The authoring kit: everything a `lab.ts` may import. */
export * from './define.ts';
export * from './parse.ts';
export * from './questions/index.ts';
export * from './signal.ts';
export * from './verdict.ts';
export * from './view.ts';
export * from './ways.ts';
