import { describe, expect, it } from 'vitest';
import { answering, check, fillIn, on, open, passed, withScenarios } from '#lab';
import { pageText, readOff, terminalText } from '../../../server/labs/screen-text.ts';

describe('a way', () => {
  it('reads as it is done', () => {
    expect([on('client', 'ip route'), open('10.1.10.11'), answering('80')]).toEqual([
      { kind: 'run', host: 'client', command: 'ip route' },
      { kind: 'open', url: '10.1.10.11' },
      { kind: 'answer', text: '80' },
    ]);
  });

  it('stands beside its check, in a file of its own, under the check’s id', () => {
    const checks = [check('one', { title: 't', test: passed })];
    const wrong = [{ what: 'w', actions: [], says: 's' }];
    expect(withScenarios(checks, { one: { wrong } })).toMatchObject([
      { id: 'one', title: 't', wrong },
    ]);
    expect(() => withScenarios(checks, { two: { wrong } })).toThrow('two');
  });

  it('speaks the hosts’ own numbers', () => {
    const values = new Map([['web-port', '32768']]);
    expect(fillIn('http://10.1.10.11:{web-port}/', values)).toBe('http://10.1.10.11:32768/');
  });

  it('leaves braces alone that belong to the shell or to Docker', () => {
    const command = "docker ps --format '{{.ID}}' | awk '{print}'; echo {a,b}";
    expect(fillIn(command, new Map())).toBe(command);
  });

  it('cannot be gone while a value has no text', () => {
    expect(() => fillIn('{web-port}', new Map([['web-port', undefined]]))).toThrow('web-port');
  });
});

describe('a screen', () => {
  it('of a terminal reads as its lines, without colours, marks and what was overwritten', () => {
    const output =
      '\u001b]633;C\u0007\u001b[1;32m80/tcp\u001b[0m -> 0.0.0.0:32768\r\n 10 %\r 90 %\r100 %\r\n';
    expect(terminalText(output)).toBe('80/tcp -> 0.0.0.0:32768\n100 %\n');
  });

  it('of a page reads as its blocks, without scripts and styles', () => {
    const html =
      '<head><title>No</title></head><style>p{}</style><h1>Hello</h1><dl><div><dt>Server IP: </dt><dd>172.17.0.2</dd></div></dl><script>1</script>';
    expect(pageText(html)).toBe('Hello\nServer IP: 172.17.0.2');
  });

  it('is read at the lowest place where the answer stands', () => {
    expect(readOff(/inet ([\d.]+)/, 'inet 10.0.0.1\ninet 10.0.0.2')).toBe('10.0.0.2');
    expect(readOff(/inet ([\d.]+)/, 'inet6 ::1')).toBeUndefined();
  });
});
