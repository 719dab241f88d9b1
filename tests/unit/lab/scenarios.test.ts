import { describe, expect, it } from 'vitest';
import { answering, check, fillIn, interrupt, on, open, passed, withScenarios } from '#lab';

describe('a scenario', () => {
  it('reads as it is done', () => {
    const stays = on('client', 'ping 10.1.10.11', { stays: true });
    expect([
      on('client', 'ip route'),
      stays,
      interrupt('client'),
      open('10.1.10.11'),
      answering('80'),
    ]).toEqual([
      { kind: 'run', host: 'client', command: 'ip route' },
      { kind: 'run', host: 'client', command: 'ping 10.1.10.11', stays: true },
      { kind: 'interrupt', host: 'client' },
      { kind: 'open', url: '10.1.10.11' },
      { kind: 'answer', text: '80' },
    ]);
  });

  it('stands beside its check, in a file of its own, under the check’s id', () => {
    const checks = [check('one', { title: 't', test: passed })];
    const mistakes = [{ what: 'w', actions: [], says: 's' }];
    expect(withScenarios(checks, { one: { mistakes } })).toMatchObject([
      { id: 'one', title: 't', mistakes },
    ]);
    expect(() => withScenarios(checks, { two: { mistakes } })).toThrow('two');
  });

  it('speaks the hosts’ own numbers', () => {
    const values = new Map([['web-port', '32768']]);
    expect(fillIn('http://10.1.10.11:{web-port}/', values)).toBe('http://10.1.10.11:32768/');
  });

  it('leaves braces alone that belong to the shell or to Docker', () => {
    const command = "docker ps --format '{{.ID}}' | awk '{print}'; echo {a,b}";
    expect(fillIn(command, new Map())).toBe(command);
  });

  it('cannot be done while a value has no text', () => {
    expect(() => fillIn('{web-port}', new Map([['web-port', undefined]]))).toThrow('web-port');
  });
});
