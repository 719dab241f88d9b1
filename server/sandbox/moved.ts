import { QuaysideError } from '../base/errors.ts';

/** The sandbox has another machine than before: hosts that were the learner's are not there, and made anew by a fresh start. */
export class SandboxMovedError extends QuaysideError {
  constructor() {
    super(
      'SANDBOX_FAILED',
      'The machine of these hosts is out of service.',
      'Wait: fresh hosts are made on another one.',
    );
    this.name = 'SandboxMovedError';
  }
}
