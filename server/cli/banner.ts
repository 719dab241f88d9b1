import type { Class } from '../class/class.ts';

/** It begins with a word: what begins with a space is a detail, and left out of a log (`server/base/progress.ts`). */
const HERE_ALONE =
  'Mind:             only browsers on this machine find that; docs/operating.md lets others in.';

/**
 * What an instructor is told when the class is up: where the learners join and with what, where the instructor signs
 * in, and the secret, where it was made just now.
 *
 * @param origin where the class's browsers find this server; its base path follows it
 * @param isHereAlone whether only those on this machine do
 */
export function banner(
  classroom: Pick<Class, 'name' | 'code' | 'freshSecret'>,
  origin: string,
  isHereAlone: boolean,
): readonly string[] {
  return [
    `Class:            ${classroom.name}`,
    `Learners join at  ${origin}/join/ with the code ${classroom.code}`,
    ...(isHereAlone ? [HERE_ALONE] : []),
    `Instructor:       ${origin}/class/`,
    classroom.freshSecret === undefined
      ? 'The instructor’s secret was printed when it was made; --new-secret makes another.'
      : `The instructor’s secret, shown this once: ${classroom.freshSecret}`,
    `Quayside is ready: ${origin}/join/#code=${classroom.code}`,
    'Ctrl-C stops the server; hosts and work stay.',
  ];
}
