import { check, command } from '#lab';

/** The checks of the page `later`, which opens after a question. */
export const later = [
  check('hello-top', {
    title: 'You looked at the processes of hello',
    test: command(/^docker top hello/).on('server01'),
  }),
];
