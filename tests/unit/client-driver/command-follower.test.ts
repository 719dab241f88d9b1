import { describe, expect, test } from 'vitest';
import { CommandFollower } from '../../../client-driver/command-follower.ts';

/** What bash on a lab's host prints (docs/terminal-protocol.md). */
const mark = (text: string) => `\u001b]633;${text};aid=9\u0007`;
const PROMPT = `${mark('A')}learner@server01:~$ \u001b[?2004h`;
const TAKEN = '\u001b[?2004l\r';
const ran = (output: string, status: number) =>
  `${mark('E;some\\x3b line')}${mark('C')}${output}${mark(`D;${status}`)}`;

const FAILED = `ls /nowhere\r\n${TAKEN}${ran('ls: no such\r\n', 2)}${PROMPT}`;

test('the shell waits for a line from its prompt until the line is taken', () => {
  const follower = new CommandFollower();
  expect(follower.isPrompted).toBe(false);
  follower.take(PROMPT);
  expect(follower.isPrompted).toBe(true);
  follower.take(TAKEN);
  expect(follower.isPrompted).toBe(false);
});

test('a command has ended at the next prompt, with its status and what it printed', () => {
  const follower = new CommandFollower();
  follower.take(PROMPT);
  follower.begin();
  follower.take(FAILED.slice(0, -1));
  expect(follower.result).toBeUndefined();
  follower.take(FAILED.slice(-1));
  expect(follower.result).toEqual({ status: 2, screen: 'ls: no such\n' });
});

test('it does not matter in which pieces the output comes', () => {
  for (let at = 1; at < FAILED.length; at++) {
    const follower = new CommandFollower();
    follower.take(PROMPT);
    follower.begin();
    follower.take(FAILED.slice(0, at));
    follower.take(FAILED.slice(at));
    expect(follower.result, `cut at ${at}`).toEqual({ status: 2, screen: 'ls: no such\n' });
  }
});

test('of several that were pasted together, the last one’s status counts, and all that they printed', () => {
  const follower = new CommandFollower();
  follower.take(PROMPT);
  follower.begin();
  follower.take(`${TAKEN}${ran('one\r\n', 1)}${ran('two\r\n', 0)}${PROMPT}`);
  expect(follower.result).toEqual({ status: 0, screen: 'one\ntwo\n' });
});

test('the end of an earlier command is none of the one that is typed now', () => {
  const follower = new CommandFollower();
  follower.begin();
  follower.take(`${mark('D;1')}${PROMPT}`);
  expect(follower.result).toBeUndefined();
  follower.take(`${TAKEN}${ran('', 0)}${PROMPT}`);
  expect(follower.result).toEqual({ status: 0, screen: '' });
});

describe('the status is not known', () => {
  test('after a line that is no command', () => {
    const follower = new CommandFollower();
    follower.take(PROMPT);
    follower.begin();
    follower.take(`)\r\n${TAKEN}bash: syntax error\r\n${PROMPT}`);
    expect(follower.result).toEqual({ status: undefined, screen: '' });
  });

  test('of a command that has begun another shell, which waits for a line', () => {
    const follower = new CommandFollower();
    follower.take(PROMPT);
    follower.begin();
    follower.take(`${TAKEN}${mark('C')}\u001b[?2004hroot@1234:/# `);
    expect(follower.result).toMatchObject({ status: undefined });
  });
});

test('of more output than a lab prints, the end is kept', () => {
  const follower = new CommandFollower();
  follower.take(PROMPT);
  follower.begin();
  follower.take(`${TAKEN}${mark('C')}first\r\n`);
  for (let piece = 0; piece < 64; piece++) follower.take('x'.repeat(64 * 1024));
  follower.take(`last\r\n${mark('D;0')}${PROMPT}`);
  const { screen } = follower.result ?? { screen: '' };
  expect(screen).not.toContain('first');
  expect(screen.endsWith('last\n')).toBe(true);
  expect(screen.length).toBeLessThan(1.1 * 1024 ** 2);
});
