import { passed } from '../verdict.ts';
import type { HostView, SandboxView } from '../view.ts';
import {
  type Assertion,
  assertion,
  type DefaultMessages,
  type Messages,
  verdictWith,
} from './assertion.ts';
import { matches } from './inside.ts';

/** What `sysctl -p` reads. */
const WRITTEN = '/etc/sysctl.conf';

/** `name` is the parameter, `found` what it is, `wanted` what was asked for. */
export type SysctlMessage = 'unknown' | 'otherValue' | 'onlyWritten';

const MESSAGES: DefaultMessages<SysctlMessage> = {
  unknown: ({ name, host }) => `The kernel of ${host} has no parameter ${name}.`,
  otherValue: ({ name, host, found, wanted }) => `${name} is ${found} on ${host}, not ${wanted}.`,
  onlyWritten: ({ name, host, found, wanted }) =>
    `${name} = ${wanted} stands in ${WRITTEN} of ${host}, but has not been read from there: it is still ${found}.`,
};

/** An assertion about a parameter of a host's kernel: it has a value. */
export interface SysctlAssertion<Host extends string = string> extends Assertion<Host> {
  /** Any of its messages in your own words. */
  withMessages(messages: Messages<SysctlMessage>): SysctlAssertion<Host>;
}

/**
 * A parameter of a host's kernel, as it is now.
 *
 * @example test: sysctl('net.ipv4.ip_forward').on('server01').is(1)
 */
export function sysctl(name: string) {
  return {
    on: <const Host extends string>(host: Host) => ({
      is: (value: number | string): SysctlAssertion<Host> => build(name, host, String(value), {}),
    }),
  };
}

function build<Host extends string>(
  name: string,
  host: Host,
  wanted: string,
  messages: Messages<SysctlMessage>,
): SysctlAssertion<Host> {
  const test = async (sandbox: SandboxView<Host>) => {
    const here = sandbox.host(host);
    const found = spaced(await here.read(`/proc/sys/${name.replaceAll('.', '/')}`));
    if (found === wanted) return passed();
    const facts = { name, host, found: found ?? '', wanted };
    if (found === undefined) return verdictWith(MESSAGES, messages, 'unknown', facts);
    const isWritten = await standsIn(here, name, wanted);
    return verdictWith(MESSAGES, messages, isWritten ? 'onlyWritten' : 'otherValue', facts, {
      host,
      command: isWritten ? 'sudo sysctl -p' : `sudo sysctl -w ${assigned(name, wanted)}`,
    });
  };
  return assertion([host], test, {
    withMessages: (more: Messages<SysctlMessage>) =>
      build(name, host, wanted, { ...messages, ...more }),
  });
}

async function standsIn(host: HostView, name: string, value: string): Promise<boolean> {
  const text = (await host.read(WRITTEN)) ?? '';
  return text.split('\n').some((line) => {
    const [key = '', ...rest] = line.split('=');
    return key.trim() === name && spaced(rest.join('=')) === value;
  });
}

/** The kernel parts several numbers by tabs. */
function spaced(text: string | undefined): string | undefined {
  return text?.trim().split(/\s+/).join(' ');
}

function assigned(name: string, value: string): string {
  return matches(/\s/, value) ? `${name}="${value}"` : `${name}=${value}`;
}
