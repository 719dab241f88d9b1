import { check, defineLab, type Lab, notYet, passed } from '#lab';
import type { Step } from '#steps';

/** The labs' folder names. */
export const LAB_NAMES = ['harbour', 'locks'] as const;

/** The command whose end ticks the second step. */
export const SECOND_COMMAND = 'ip route add';
/** The command that runs a container, whose start ticks the first step. */
export const FIRST_COMMAND = 'docker run web';

/** A small lab of two hosts. Its steps tick by an event of a host's engine, a look at that engine, and a command. */
export function simulatedLab(name: string, version = 1): Lab {
  return defineLab({
    title: `${name} ${version}`,
    hosts: {
      server01: { address: '10.1.10.11/24', engine: true },
      client: { address: '10.1.10.100/24' },
    },
    browser: 'client',
    sections: [
      {
        page: 'first',
        title: 'First',
        checks: [
          check('started', {
            title: 'A container was started',
            test: ({ journal }) =>
              journal.last('container', ({ action }) => action === 'start')
                ? passed()
                : notYet('Not yet.'),
          }),
          check('runs', {
            title: 'It is there',
            test: async (sandbox) =>
              (await sandbox.host('server01').container('web')) ? passed() : notYet('Not yet.'),
          }),
        ],
      },
      {
        page: 'second',
        title: 'Second',
        checks: [
          check('typed', {
            title: 'A command was typed',
            test: ({ journal }) =>
              journal.last('command', ({ line }) => line === SECOND_COMMAND)
                ? passed()
                : notYet('Not yet.'),
          }),
        ],
      },
    ],
  });
}

const step = (id: string, page: string, command: string, checks: readonly string[]): Step => ({
  id,
  page,
  heading: id,
  file: `${page}.mdx`,
  line: 1,
  actions: [{ kind: 'run', host: 'server01', command, line: 1 }],
  checks,
});

/** What its pages ask for. */
export const STEPS: readonly Step[] = [
  step('started', 'first', FIRST_COMMAND, ['started', 'runs']),
  step('typed', 'second', SECOND_COMMAND, ['typed']),
];
