/** Something is not as it should be: what was expected, and what was there instead. */
export class ExpectationFailed extends Error {
  readonly expected: string;
  readonly seen: string;

  constructor(expected: string, seen: string, options?: ErrorOptions) {
    super(`expected ${expected}; seen: ${seen}`, options);
    this.name = 'ExpectationFailed';
    this.expected = expected;
    this.seen = seen;
  }
}
