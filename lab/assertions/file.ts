import { type Fix, passed, type Verdict } from '../verdict.ts';
import type { HostView, SandboxView } from '../view.ts';
import {
  type Assertion,
  assertion,
  type DefaultMessages,
  type Messages,
  otherHostWhere,
  type Reading,
  verdictWith,
} from './assertion.ts';
import { matches } from './inside.ts';

/** `found` is the mode, the owner, the kind or the host that was found instead. */
export type FileMessage =
  | 'missing'
  | 'onOtherHost'
  | 'notAFile'
  | 'otherText'
  | 'otherMode'
  | 'otherOwner'
  | 'otherGroup';

const MESSAGES: DefaultMessages<FileMessage> = {
  missing: ({ name, host }) => `There is no ${name} on ${host} yet.`,
  onOtherHost: ({ name, host, found }) =>
    `There is a ${name} on ${found}, but the lab needs it on ${host}.`,
  notAFile: ({ name, host, found }) => `${name} on ${host} is a ${found}, and no file.`,
  otherText: ({ name, host }) => `${name} on ${host} does not say what was asked for yet.`,
  otherMode: ({ name, host, found, wanted }) =>
    `${name} on ${host} has the mode ${found}, not ${wanted}.`,
  otherOwner: ({ name, host, found, wanted }) =>
    `${name} on ${host} belongs to ${found}, not to ${wanted}.`,
  otherGroup: ({ name, host, found, wanted }) =>
    `${name} on ${host} is of the group ${found}, not of ${wanted}.`,
};

/** An assertion about a file or a directory: whether it is there. A file's text can be read, for a value or an answer. */
export interface FileAssertion<Host extends string = string> extends Assertion<Host> {
  /** Its text, without spaces and ends of lines at its beginning and its end. */
  readonly text: Reading<Host>;
  /** Its text, read so, is just this, or fits a pattern. @example .says('1') */
  says(text: string | RegExp): FileAssertion<Host>;
  /** Its mode, as `stat -c %a` and `chmod` write it. @example .hasMode('640') */
  hasMode(mode: string): FileAssertion<Host>;
  /** Its owner, and its group where one is given. @example .ownedBy('anna', 'dev') */
  ownedBy(user: string, group?: string): FileAssertion<Host>;
  /** Any of its messages in your own words. */
  withMessages(messages: Messages<FileMessage>): FileAssertion<Host>;
}

/** What `stat` tells of a path. */
interface Found {
  readonly mode: string;
  readonly user: string;
  readonly group: string;
  /** `regular file`, `regular empty file`, `directory` … */
  readonly kind: string;
}

interface Wanted<Host extends string> {
  readonly path: string;
  readonly host: Host;
  readonly text?: string | RegExp;
  readonly mode?: string;
  readonly user?: string;
  readonly group?: string;
  readonly messages: Messages<FileMessage>;
}

/**
 * A file on a host, or a directory. Best for what is small: `/proc`, `/etc`, what a step writes.
 *
 * @example test: file('/etc/docker/daemon.json').on('server01').says(/"mtu":\s*1400/)
 */
export function file(path: string) {
  return {
    on: <const Host extends string>(host: Host): FileAssertion<Host> =>
      build({ path, host, messages: {} }),
  };
}

function build<Host extends string>(wanted: Wanted<Host>): FileAssertion<Host> {
  const { path, host, messages } = wanted;
  const read = (sandbox: SandboxView<Host>) => sandbox.host(host).read(path);
  return assertion([host], (sandbox) => judge(wanted, sandbox), {
    text: Object.assign(read, { hosts: [host] }),
    says: (text: string | RegExp) => build({ ...wanted, text }),
    hasMode: (mode: string) => build({ ...wanted, mode: mode.replace(/^0+(?=\d)/, '') }),
    ownedBy: (user: string, group?: string) =>
      build({ ...wanted, user, ...(group !== undefined && { group }) }),
    withMessages: (more: Messages<FileMessage>) =>
      build({ ...wanted, messages: { ...messages, ...more } }),
  });
}

async function judge<Host extends string>(
  wanted: Wanted<Host>,
  sandbox: SandboxView<Host>,
): Promise<Verdict> {
  const { path, host, text, mode, user, group } = wanted;
  const tell = (key: FileMessage, found = '', right = '', command = '') => {
    const fix: Fix | undefined = command === '' ? undefined : { host, command };
    const facts = { name: path, host, found, wanted: right };
    return verdictWith(MESSAGES, wanted.messages, key, facts, fix);
  };
  const found = await look(sandbox.host(host), path);
  if (!found) {
    const isThere = async (other: HostView) => (await look(other, path)) !== undefined;
    const other = await otherHostWhere(sandbox, host, isThere);
    return other ? tell('onOtherHost', other.name) : tell('missing');
  }
  if (text !== undefined) {
    const is = await sandbox.host(host).read(path);
    if (is === undefined) return tell('notAFile', found.kind);
    if (typeof text === 'string' ? is !== text.trim() : !matches(text, is))
      return tell('otherText', is);
  }
  if (user !== undefined && found.user !== user) {
    return tell('otherOwner', found.user, user, `sudo chown ${user} ${path}`);
  }
  if (group !== undefined && found.group !== group) {
    return tell('otherGroup', found.group, group, `sudo chgrp ${group} ${path}`);
  }
  if (mode !== undefined && found.mode !== mode) {
    return tell('otherMode', found.mode, mode, `sudo chmod ${mode} ${path}`);
  }
  return passed();
}

/** `undefined` where there is nothing at a path. A link counts as what it leads to. */
async function look(host: HostView, path: string): Promise<Found | undefined> {
  const { status, output } = await host.ask(['stat', '-Lc', '%a %U %G %F', '--', path]);
  const [, mode, user, group, kind] = /^(\d+) (\S+) (\S+) (.*)$/.exec(output) ?? [];
  if (status !== 0 || mode === undefined || user === undefined || group === undefined) {
    return undefined;
  }
  return { mode, user, group, kind: kind ?? '' };
}
