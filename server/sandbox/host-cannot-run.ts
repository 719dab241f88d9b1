import { asSentence, QuaysideError } from '../base/errors.ts';

/** Text of a host's that would not be read as it stands: all control characters but the line feed. */
const CONTROL = /[^\P{Cc}\n]+/gu;

/** A fresh host cannot become what it should be, however often it is tried. */
export class HostCannotRunError extends QuaysideError {
  constructor(message: string, remedy: string) {
    super('SANDBOX_FAILED', asSentence(message), remedy);
    this.name = 'HostCannotRunError';
  }
}

/** What is said where a host's engine has failed at each start. @param said its last words */
export function engineCannotStart(host: string, said: string): HostCannotRunError {
  return new HostCannotRunError(
    `The Docker Engine of ${host} cannot start: ${readable(said)}`,
    'Whoever runs this server can look what its machine lacks: npm run doctor',
  );
}

/** A host's words without what a terminal would take for commands. */
export function readable(said: string): string {
  return said.replaceAll(CONTROL, ' ').trim();
}
