import ipaddr from 'ipaddr.js';

const { IPv4 } = ipaddr;
const DOTTED = /\b\d{1,3}(?:\.\d{1,3}){3}\b/g;
const BITS = 32;

/** The one IPv4 address that stands in what a learner wrote ("172.17.0.2:80", "inet 172.17.0.1/16"), or `undefined`. */
export function addressIn(text: string): string | undefined {
  const found = new Set(text.match(DOTTED));
  return found.size === 1 ? [...found][0] : undefined;
}

/** Whether an address lies in a subnet such as `172.17.0.0/16`. Anything that is no IPv4 address does not. */
export function isWithin(address: string, subnet: string): boolean {
  return ['same', 'narrower'].includes(relation(address, subnet));
}

/** How the addresses of two subnets lie to each other, seen from the first. */
export function relation(subnet: string, other: string): 'same' | 'wider' | 'narrower' | 'apart' {
  const [a, b] = [parse(subnet), parse(other)];
  if (!a || !b || !a.address.match(b.address, Math.min(a.length, b.length))) return 'apart';
  if (a.length === b.length) return 'same';
  return a.length < b.length ? 'wider' : 'narrower';
}

/** Whether a text is an IPv4 address, and nothing more. */
export function isAddress(text: string): boolean {
  return IPv4.isValidFourPartDecimal(text);
}

/** The number of addresses of a subnet; 0 for what is none. */
export function sizeOf(subnet: string): number {
  const found = parse(subnet);
  return found ? 2 ** (BITS - found.length) : 0;
}

/** A subnet's mask in dotted form: `255.255.0.0` for a /16; "" for what is none. */
export function maskOf(subnet: string): string {
  const found = parse(subnet);
  return found ? IPv4.subnetMaskFromPrefixLength(found.length).toString() : '';
}

/** How many addresses lie in any of several subnets, each counted once. */
export function sizeOfAll(subnets: readonly string[]): number {
  const blocks = subnets
    .flatMap((subnet) => parse(subnet) ?? [])
    .map(({ address, length }) => {
      const size = 2 ** (BITS - length);
      const number = address.octets.reduce((sum, octet) => sum * 256 + octet, 0);
      const first = number - (number % size);
      return { first, end: first + size };
    })
    .sort((a, b) => a.first - b.first || b.end - a.end);
  let all = 0;
  let until = 0;
  // Two subnets are apart, or one lies within the other: then the wider one comes first.
  for (const { first, end } of blocks) {
    if (first < until) continue;
    all += end - first;
    until = end;
  }
  return all;
}

/** `default` stands for all addresses, and an address alone for the subnet of that one. */
function parse(subnet: string) {
  const [written = '', length = BITS] = subnet === 'default' ? ['0.0.0.0', 0] : subnet.split('/');
  const cidr = `${written}/${length}`;
  if (!IPv4.isValidCIDRFourPartDecimal(cidr)) return undefined;
  const [address, bits] = IPv4.parseCIDR(cidr);
  return { address, length: bits };
}
