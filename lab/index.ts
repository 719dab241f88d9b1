/** The authoring kit: everything a `lab.ts` may import. */

export * from './assertions/index.ts';
export * from './course.ts';
export * from './define.ts';
export { isSlipOf } from './did-you-mean.ts';
export * from './parse.ts';
export * from './scenarios.ts';
export * from './signal.ts';
export * from './verdict.ts';
export * from './view.ts';
