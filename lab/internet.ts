import ipaddr from 'ipaddr.js';
import type { LabHost } from './parse-host.ts';

/**
 * What lies between a sandbox's hosts and the internet (images/gateway): for tests between networks, so no address of the
 * internet's is in it (RFC 2544).
 */
const BETWEEN = '198.18.0.0/15';

/** Whether any host of a lab is to reach the internet. */
export function needsInternet({ hosts }: { readonly hosts: readonly LabHost[] }): boolean {
  return hosts.some(({ hasInternet }) => hasInternet);
}

/** A lab's own networks cannot be where its way to the internet is. */
export function reportInternet(hosts: readonly LabHost[], problems: string[]): void {
  if (!needsInternet({ hosts })) return;
  const between = ipaddr.IPv4.parseCIDR(BETWEEN);
  for (const { name, interfaces } of hosts) {
    for (const { address, prefixLength } of interfaces) {
      if (address === '') continue;
      const shorter = Math.min(prefixLength, between[1]);
      if (!ipaddr.IPv4.parse(address).match(between[0], shorter)) continue;
      problems.push(
        `host ${name}: "${address}/${prefixLength}" is on a network that overlaps ${BETWEEN}, through which hosts with internet: true reach the internet; take another, such as 10.1.10.0/24`,
      );
    }
  }
}
