import { passed } from '../verdict.ts';
import type { HostView, SandboxView } from '../view.ts';
import {
  type Assertion,
  assertion,
  type DefaultMessages,
  type Messages,
  otherHostWhere,
  verdictWith,
} from './assertion.ts';

/** `name` is the user, `wanted` the group; `found` the groups that the user is in, or the other host. */
export type UserMessage = 'missing' | 'onOtherHost' | 'noGroup' | 'notInGroup';

const MESSAGES: DefaultMessages<UserMessage> = {
  missing: ({ name, host }) => `There is no user ${name} on ${host} yet.`,
  onOtherHost: ({ name, host, found }) =>
    `The user ${name} is on ${found}, but the lab needs it on ${host}.`,
  noGroup: ({ host, wanted }) => `There is no group ${wanted} on ${host} yet.`,
  notInGroup: ({ name, found, wanted }) =>
    `${name} is in the groups ${found}, and not in ${wanted}.`,
};

/** An assertion about a user of a host: there is one. */
export interface UserAssertion<Host extends string = string> extends Assertion<Host> {
  /** The user is in a group, as its first one or another. @example .inGroup('dev') */
  inGroup(group: string): UserAssertion<Host>;
  /** Any of its messages in your own words. */
  withMessages(messages: Messages<UserMessage>): UserAssertion<Host>;
}

/**
 * A user of a host.
 *
 * @example test: user('anna').on('server01').inGroup('dev')
 */
export function user(name: string) {
  return {
    on: <const Host extends string>(host: Host): UserAssertion<Host> => build(name, host, [], {}),
  };
}

function build<Host extends string>(
  name: string,
  host: Host,
  groups: readonly string[],
  messages: Messages<UserMessage>,
): UserAssertion<Host> {
  const test = async (sandbox: SandboxView<Host>) => {
    const tell = (key: UserMessage, found = '', wanted = '', command = '') =>
      verdictWith(
        MESSAGES,
        messages,
        key,
        { name, host, found, wanted },
        command === '' ? undefined : { host, command },
      );
    const here = sandbox.host(host);
    const found = await groupsOf(here, name);
    if (!found) {
      const isThere = async (other: HostView) => (await groupsOf(other, name)) !== undefined;
      const other = await otherHostWhere(sandbox, host, isThere);
      return other ? tell('onOtherHost', other.name) : tell('missing');
    }
    const missing = groups.find((group) => !found.includes(group));
    if (missing === undefined) return passed();
    const { status } = await here.ask(['getent', 'group', missing]);
    if (status !== 0) return tell('noGroup', '', missing, `sudo groupadd ${missing}`);
    return tell('notInGroup', found.join(' and '), missing, `sudo usermod -aG ${missing} ${name}`);
  };
  return assertion([host], test, {
    inGroup: (group: string) => build(name, host, [...groups, group], messages),
    withMessages: (more: Messages<UserMessage>) =>
      build(name, host, groups, { ...messages, ...more }),
  });
}

/** The groups of a user; `undefined` where there is no such user. */
async function groupsOf(host: HostView, user: string): Promise<readonly string[] | undefined> {
  const { status, output } = await host.ask(['id', '-Gn', '--', user]);
  return status === 0 ? output.split(' ') : undefined;
}
