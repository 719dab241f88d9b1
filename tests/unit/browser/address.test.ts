import { describe, expect, test } from 'vitest';
import { QuaysideError } from '../../../server/base/errors.ts';
import { parseAddress, parseTyped } from '../../../server/browser/address.ts';

describe('an address as typed', () => {
  test.each([
    ['10.1.10.11:32768', 'http://10.1.10.11:32768/', '10.1.10.11', 32768],
    ['http://10.1.10.11:32768', 'http://10.1.10.11:32768/', '10.1.10.11', 32768],
    ['  10.1.10.11 ', 'http://10.1.10.11/', '10.1.10.11', 80],
    ['HTTP://Server01/a?b=c#d', 'http://server01/a?b=c', 'server01', 80],
    ['mesos-agent01:8080/x y', 'http://mesos-agent01:8080/x%20y', 'mesos-agent01', 8080],
    ['my_app.lab:65535', 'http://my_app.lab:65535/', 'my_app.lab', 65535],
    ['localhost:8080', 'http://localhost:8080/', 'localhost', 8080],
    ['https://10.1.10.11/', 'https://10.1.10.11/', '10.1.10.11', 443],
    ['https://10.1.10.11:8443/', 'https://10.1.10.11:8443/', '10.1.10.11', 8443],
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

describe('a name and a password in what was typed', () => {
  test.each([
    ['anna:open%20it@10.1.10.11:8080/x', 'http://10.1.10.11:8080/x', 'anna:open it'],
    ['https://anna@10.1.10.11', 'https://10.1.10.11/', 'anna:'],
    ['10.1.10.11', 'http://10.1.10.11/', undefined],
  ])('%j: none stands in the address', (typed, url, login) => {
    const found = parseTyped(typed);
    expect([found.address.url.href, found.login]).toEqual([url, login]);
  });

  test('that cannot be read is refused', () => {
    expect(() => parseTyped('%E0%A4:x@10.1.10.11')).toThrow(QuaysideError);
  });
});
