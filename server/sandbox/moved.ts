import { QuaysideError } from '../base/errors.ts';

/**
 * Hosts that were the learner's are not on the sandbox's machine: it has another one than before, or they were removed
 * there. A fresh start makes them anew.
 */
export class SandboxMovedError extends QuaysideError {
  constructor() {
    super(
      'SANDBOX_FAILED',
      'These hosts are gone: their machine is out of service, or they were removed on it.',
      'Wait: fresh hosts are made.',
    );
    this.name = 'SandboxMovedError';
  }
}
