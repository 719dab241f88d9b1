/** A block of IPv4 addresses as its first and last address, both as numbers. */
interface Block {
  readonly first: number;
  readonly last: number;
}

const DOTTED = /\b\d{1,3}(?:\.\d{1,3}){3}\b/g;
const BITS = 32;

/** The one IPv4 address that stands in what a learner wrote ("172.17.0.2:80", "inet 172.17.0.1/16"), or `undefined`. */
export function addressIn(text: string): string | undefined {
  const found = new Set(text.match(DOTTED));
  return found.size === 1 ? [...found][0] : undefined;
}

/** Whether an address lies in a subnet such as `172.17.0.0/16`. Anything that is no IPv4 address does not. */
export function isWithin(address: string, subnet: string): boolean {
  const inner = blockOf(address);
  return inner !== undefined && contains(blockOf(subnet), inner);
}

/** How the addresses of two subnets lie to each other, seen from the first. */
export function relation(subnet: string, other: string): 'same' | 'wider' | 'narrower' | 'apart' {
  const [a, b] = [blockOf(subnet), blockOf(other)];
  if (!a || !b) return 'apart';
  if (contains(a, b)) return contains(b, a) ? 'same' : 'wider';
  return contains(b, a) ? 'narrower' : 'apart';
}

/** The number of addresses of a subnet; 0 for what is none. */
export function sizeOf(subnet: string): number {
  const block = blockOf(subnet);
  return block ? block.last - block.first + 1 : 0;
}

/** `default` is the block of all addresses, and a lone address a block of one. */
function blockOf(subnet: string): Block | undefined {
  const [address = '', length = String(BITS)] =
    subnet === 'default' ? ['0.0.0.0', '0'] : subnet.split('/');
  const octets = address.split('.').map(Number);
  const prefix = Number(length);
  const sound =
    octets.length === 4 &&
    octets.every((octet) => Number.isInteger(octet) && octet >= 0 && octet <= 255) &&
    Number.isInteger(prefix) &&
    prefix >= 0 &&
    prefix <= BITS;
  if (!sound) return undefined;
  const size = 2 ** (BITS - prefix);
  const number = octets.reduce((sum, octet) => sum * 256 + octet, 0);
  const first = number - (number % size);
  return { first, last: first + size - 1 };
}

function contains(outer: Block | undefined, inner: Block): boolean {
  return outer !== undefined && outer.first <= inner.first && inner.last <= outer.last;
}

/** A subnet's mask in dotted form: `255.255.0.0` for a /16. */
export function maskOf(subnet: string): string {
  const mask = 2 ** BITS - sizeOf(subnet);
  return [24, 16, 8, 0].map((shift) => Math.floor(mask / 2 ** shift) % 256).join('.');
}
