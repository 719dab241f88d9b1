import { createConnection } from 'node:net';
import { createInterface } from 'node:readline';
import { ExpectationFailed } from '../client-driver/expectation-failed.ts';

/** Of what a command prints, the last lines are kept. */
const LINES_KEPT = 400;
const LINE_MOST = 4_000;

/** Where commands go. */
export interface CommandLine {
  readonly port: number;
  readonly token: string;
}

/** A command that runs on a machine. */
export interface Command {
  /** What it has printed, the last of it. */
  readonly lines: readonly string[];
  /** Its process group, once it is known. */
  readonly group: number | undefined;
  /** Whether it has ended. */
  readonly isOver: boolean;
  /** Settles with its status when it has ended. @throws ExpectationFailed where the connection ended before it */
  readonly ended: Promise<number>;
  /** Ends the wait, not the command. */
  leave(): void;
}

/** Types a command as a user of the machine, in a login shell. @param onLine is told each line that it prints */
export function typeCommand(
  { port, token }: CommandLine,
  user: string,
  text: string,
  onLine: (line: string) => void = () => undefined,
): Command {
  const socket = createConnection({ port, host: '127.0.0.1' });
  const lines: string[] = [];
  let group: number | undefined;
  let status: number | undefined;
  socket.write(`${token} ${user} ${Buffer.from(text).toString('base64')}\n`);
  const ended = new Promise<number>((resolve, reject) => {
    const fail = (): void => {
      const last = lines.at(-1) ?? 'nothing';
      reject(new ExpectationFailed(`“${text}” to end`, `the connection ended after: ${last}`));
    };
    socket.on('error', fail);
    socket.on('close', () => (status === undefined ? fail() : resolve(status)));
  });
  // Whoever only looks at its lines does not wait for its end.
  ended.catch(() => undefined);
  createInterface({ input: socket })
    .on('line', (raw) => {
      const line = raw.slice(0, LINE_MOST);
      const [, mark, number] = /^([@=]) (\d+)$/.exec(line) ?? [];
      if (mark === '@' && group === undefined) group = Number(number);
      else if (mark === '=') status = Number(number);
      else {
        lines.push(line);
        if (lines.length > LINES_KEPT) lines.shift();
        onLine(line);
      }
    })
    .on('error', () => undefined);
  return {
    lines,
    get group() {
      return group;
    },
    get isOver() {
      return status !== undefined || socket.closed;
    },
    ended,
    leave: () => socket.destroy(),
  };
}
