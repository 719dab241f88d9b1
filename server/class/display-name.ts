import { QuaysideError } from '../base/errors.ts';

/** As long as most people's whole names, and short enough for the roster. */
export const NAME_CHARACTERS = 40;
/** Control characters, line ends, what turns the direction of text, what has no width: nothing a name needs. */
const HIDDEN =
  /[\p{Cc}\p{Cs}\p{Co}\p{Cn}\u2028\u2029\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff]/u;
/** Something that can be seen, and spoken of. */
const VISIBLE = /[\p{L}\p{N}]/u;

/**
 * The name that a learner goes by in the class: spaces tidied, one spelling for what looks the same.
 *
 * @throws QuaysideError NAME_INVALID
 */
export function displayName(typed: string): string {
  const name = typed.normalize('NFKC').replace(/\s+/g, ' ').trim();
  if (name === '')
    throw invalid('A name is missing.', 'Write the name that the class knows you by.');
  if ([...name].length > NAME_CHARACTERS) {
    throw invalid(
      `That name is longer than ${NAME_CHARACTERS} characters.`,
      'Write a shorter one; a first name and a letter will do.',
    );
  }
  if (HIDDEN.test(name) || !VISIBLE.test(name)) {
    throw invalid(
      'That name holds characters that do not show, or none that can be read.',
      'Use letters, digits and ordinary signs.',
    );
  }
  return name;
}

function invalid(message: string, remedy: string): QuaysideError {
  return new QuaysideError('NAME_INVALID', message, remedy);
}
