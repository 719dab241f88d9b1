import { expect, test } from 'vitest';
import { defineLab } from '#lab';
import { visitByCommand } from '../../../server/browser/command-visit.ts';

const LAB = defineLab({
  title: 'T',
  hosts: {
    server01: { address: '10.1.10.11/24', aliases: ['agent01'] },
    client: { address: '10.1.10.100/24' },
    router: { address: '10.1.10.1/24', interfaces: ['10.1.20.1/24'] },
    far: { address: '10.1.20.11/24' },
  },
  browser: 'client',
  sections: [],
});

function visit(line: string, status = 0, host = 'client') {
  const found = visitByCommand(LAB, { host, line, status });
  return found && `${found.url} ${found.outcome}`;
}

test.each([
  'curl 10.1.10.11:32768',
  'curl http://10.1.10.11:32768/',
  "curl -s 'http://10.1.10.11:32768'",
  'sudo curl -sSL -m 3 -H "A: b; c" 10.1.10.11:32768 2>/dev/null',
  "curl --max-time 3 -o /dev/null -w '%{http_code}|' http://10.1.10.11:32768 > page",
  '  time curl -I http://10.1.10.11:32768  ',
])('%s is a visit', (line) => {
  expect(visit(line)).toBe('http://10.1.10.11:32768/ page');
});

test.each([
  'echo curl http://10.1.10.11',
  'curl',
  'curl --version',
  'curl http://10.1.10.11 http://10.1.10.12',
  'curl http://10.1.10.11 | head',
  'curl http://10.1.10.11; true',
  'curl http://10.1.10.11 &',
  'curl http://10.1.10.11 || true',
  'curl $URL',
  'curl "$(cat address)" http://a,b',
  'curl ftp://10.1.10.11',
  `curl http://10.1.10.11/${'a'.repeat(2_000)}`,
])('%s is none, or not by itself', (line) => {
  expect(visit(line)).toBeUndefined();
});

test('what came of it is told by the exit status', () => {
  const ways = [0, 6, 7, 28, 22, 52, 130].map((status) => visit('curl agent01:9', status));
  const at = 'http://agent01:9/';
  const told = [`${at} page`, `${at} unknown-host`, `${at} refused`, `${at} timed-out`];
  expect(ways).toEqual([...told, undefined, undefined, undefined]);
});

test('an address that is no host’s may be refused, or out of reach: that is no visit', () => {
  expect(visit('curl 172.17.0.2', 0)).toBe('http://172.17.0.2/ page');
  expect(visit('curl 172.17.0.2', 7)).toBeUndefined();
});

test('on another host it shows nothing of what the client can reach', () => {
  expect(visit('curl 10.1.10.11', 0, 'server01')).toBeUndefined();
});

test('a refusal is told of hosts on the same wire, since no way may lead to the others', () => {
  const refused = ['router', '10.1.10.1', 'far', '10.1.20.11', '10.1.20.1'].map((name) =>
    visit(`curl ${name}`, 7),
  );
  const near = ['http://router/ refused', 'http://10.1.10.1/ refused'];
  expect(refused).toEqual([...near, undefined, undefined, undefined]);
});
