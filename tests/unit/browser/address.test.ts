import { describe, expect, test } from 'vitest';
import { QuaysideError } from '../../../server/base/errors.ts';
import { parseAddress } from '../../../server/browser/address.ts';

describe('an address as typed', () => {
  test.each([
    ['10.1.10.11:32768', 'http://10.1.10.11:32768/', '10.1.10.11', 32768],
    ['http://10.1.10.11:32768', 'http://10.1.10.11:32768/', '10.1.10.11', 32768],
    ['  10.1.10.11 ', 'http://10.1.10.11/', '10.1.10.11', 80],
    ['HTTP://Server01/a?b=c#d', 'http://server01/a?b=c', 'server01', 80],
    ['mesos-agent01:8080/x y', 'http://mesos-agent01:8080/x%20y', 'mesos-agent01', 8080],
    ['my_app.lab:65535', 'http://my_app.lab:65535/', 'my_app.lab', 65535],
    ['localhost:8080', 'http://localhost:8080/', 'localhost', 8080],
  ])('%j is %s', (typed, url, hostname, port) => {
    const address = parseAddress(typed);
    expect([address.url.href, address.hostname, address.port]).toEqual([url, hostname, port]);
  });

  test.each([
    ['', 'not an address'],
    ['http://', 'not an address'],
    ['10.1.10.11:[PORT VALUE]', 'not an address'],
    ['10.1.10.11:<port>', 'not an address'],
    ['10.1.10.11:70000', 'not an address'],
    ['10.1.10.11:-1', 'not an address'],
    ['two words', 'not an address'],
    ['10.1.10.999', 'not an address'],
    ['10.1.10.11:0', 'Port 0'],
    ['https://10.1.10.11/', 'plain http'],
    ['ftp://10.1.10.11/', 'ftp:'],
    ['file:///etc/passwd', 'file:'],
    ['user@10.1.10.11', 'user name'],
    ['user:secret@10.1.10.11', 'user name'],
    ['[::1]:80', 'IPv4'],
  ])('%j is refused: %s', (typed, says) => {
    const refused = expect(() => parseAddress(typed));
    refused.toThrow(QuaysideError);
    refused.toThrow(says);
  });

  test.each([
    'server01,fork',
    'server01,bind=0.0.0.0:80',
    'a!!EXEC:sh',
    "a'b",
    'a"b',
    'a(b)',
    'a$(id)',
    'a`id`',
    'a;id',
    'a&b',
    '-d',
    'a..b',
    '.',
    'a%2cfork',
    'a\u0000b',
    'a{b}',
    'a*',
    `${'a'.repeat(64)}.b`,
    `${'a.'.repeat(130)}b`,
  ])('%j never becomes part of a command', (host) => {
    expect(() => parseAddress(host)).toThrow(QuaysideError);
    expect(() => parseAddress(`http://${host}:80/`)).toThrow(QuaysideError);
  });
});
