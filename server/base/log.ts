import pino from 'pino';

/**
 * What went wrong behind the web edge, for the operator. Serving a class, a line of JSON each, like the web edge's own;
 * otherwise as a person reads it in the terminal where the server runs.
 */
export function failureLog(asJson: boolean): (message: string, error: unknown) => void {
  if (!asJson) return (message, error) => console.error(`${message}:`, error);
  const log = pino({}, process.stderr);
  return (message, error) => log.error({ err: error }, message);
}
