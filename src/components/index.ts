/** What an MDX page imports: `import { Check, Value } from '#components'`. */
export { default as Answer } from './Answer.astro';
export { default as Browser } from './Browser.astro';
export { default as Check } from './Check.astro';
export { default as Edit } from './Edit.astro';
export { default as Hint } from './Hint.astro';
export { default as Instructor } from './Instructor.astro';
export { default as Interrupt } from './Interrupt.astro';
export { default as Terminal } from './Terminal.astro';
export { default as Value } from './Value.astro';
export { default as Visit } from './Visit.astro';
