import { expect, test, vi } from 'vitest';
import { EscapeParser } from '../../../server/terminal/escape-parser.ts';
import {
  type FinishedCommand,
  ShellIntegration,
  type ShellIntegrationListener,
} from '../../../server/terminal/shell-integration.ts';
import { cut, integers, seeded } from '../../fixtures/random.ts';

const reader = (listener: ShellIntegrationListener) =>
  new EscapeParser(new ShellIntegration(listener));

function commandsIn(pieces: Iterable<Buffer>): readonly FinishedCommand[] {
  const commands: FinishedCommand[] = [];
  const marks = reader({ finished: (command) => void commands.push(command) });
  for (const piece of pieces) marks.feed(piece);
  return commands;
}

test('reads command lines and statuses, wherever the stream is cut', () => {
  const stream = Buffer.from(
    '\x1b]633;A\x07\x1b[32m$ \x1b[0mecho\r\n\x1b]633;E;echo "a\\x3bb\\\\c" é\x07\x1b]633;C\x07a;b\r\n\x1b]633;D;0\x07' +
      '\x1b]133;A\x1b\\$ \x1b]0;title\x07\x1b]133;E;false\x1b\\\x1b]133;C\x1b\\\x1b]133;D;1\x1b\\' +
      '\x1b]633;E;for i in 1\\x0ado\x07\x1b]633;D;130\x07',
  );
  const expected = [
    { line: 'echo "a;b\\c" é', status: 0 },
    { line: 'false', status: 1 },
    { line: 'for i in 1\ndo', status: 130 },
  ];
  const integer = integers(seeded(3));
  for (let round = 0; round < 500; round++) {
    expect(commandsIn(cut(stream, 1 + integer(12), integer))).toEqual(expected);
  }
});

test('tells the shells apart where one runs within another', () => {
  const mark = (text: string) => `\x1b]633;${text}\x07`;
  const inner = ['E;false;aid=2', 'D;1;aid=2', 'A;aid=2', 'E;exit;aid=2', 'C;aid=2'];
  const marks = ['E;sudo -i;aid=1', 'C;aid=1', 'A;aid=2', ...inner, 'D;1;aid=1'];
  expect(commandsIn([Buffer.from(marks.map(mark).join('# '))])).toEqual([
    { line: 'false', status: 1 },
    { line: 'sudo -i', status: 1 },
  ]);
});

test('a command line that was replaced by another program is not taken for the next one', () => {
  const mark = (text: string) => `\x1b]633;${text}\x07`;
  const marks = ['E;exec bash;aid=1', 'C;aid=1', 'A;aid=1', 'C;aid=1', 'D;0;aid=1'];
  expect(commandsIn([Buffer.from(marks.map(mark).join(''))])).toEqual([]);
});

test('tells nothing of a status without a line, or of a line that never ended', () => {
  const stream = '\x1b]633;D;0\x07\x1b]633;E;sleep\x07\x1b]633;C\x07\x1b]633;A\x07';
  expect(commandsIn([Buffer.from(stream)])).toEqual([]);
});

test('drops a mark that grows without end, and reads on', () => {
  const endless = Buffer.from(`\x1b]633;E;${'x'.repeat(50_000)}`);
  const after = Buffer.from('\x07\x1b]633;E;ls\x07\x1b]633;D;0\x07');
  const integer = integers(seeded(4));
  const pieces = [...cut(Buffer.concat([endless, after]), 1_000, integer)];
  expect(commandsIn(pieces)).toEqual([{ line: 'ls', status: 0 }]);
});

test('tells when a prompt is shown and when a line is taken, in their order', () => {
  const heard: string[] = [];
  const marks = reader({
    prompted: () => void heard.push('prompt'),
    started: () => void heard.push('start'),
    finished: ({ status }) => void heard.push(`end ${status}`),
  });
  marks.feed(
    Buffer.from(
      '\x1b]633;A\x07$ \x1b]633;E;ls\x07\x1b]633;C\x07a\r\n\x1b]633;D;0\x07\x1b]633;A\x07$ ',
    ),
  );
  expect(heard).toEqual(['prompt', 'start', 'end 0', 'prompt']);
});

test('of commands that finish without end only so many are told of, and later ones again', () => {
  vi.useFakeTimers({ toFake: ['performance'] });
  try {
    let told = 0;
    const marks = reader({
      finished: () => {
        told += 1;
      },
    });
    const flood = Buffer.from('\x1b]633;E;x\x07\x1b]633;D;0\x07'.repeat(20_000));
    marks.feed(flood);
    expect(told).toBe(1_000);
    vi.advanceTimersByTime(1_000);
    marks.feed(flood);
    expect(told).toBe(1_100);
  } finally {
    vi.useRealTimers();
  }
});
