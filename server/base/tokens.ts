import { createHash, randomBytes, randomInt, timingSafeEqual } from 'node:crypto';

/** Letters and digits that are not taken for one another when read aloud or off a board: no 0 O, 1 I L, U V. */
const LETTERS = '23456789ABCDEFGHJKMNPQRSTWXYZ';

/** What is stored of a secret. Secrets here are long and random, so a plain hash reveals nothing about them. */
export function tokenHash(secret: string): string {
  return createHash('sha256').update(secret).digest('hex');
}

/** 256 random bits, for a cookie that signs a browser in. */
export function newToken(): string {
  return randomBytes(32).toString('base64url');
}

/** Compares in constant time, so that a guess learns nothing from the duration. */
export function tokensEqual(given: string, expected: string): boolean {
  return timingSafeEqual(Buffer.from(tokenHash(given)), Buffer.from(tokenHash(expected)));
}

/** Random letters in groups that can be read out and typed: `K7PM-3QXR`. Each letter is worth 4.8 bits. */
export function newSpokenCode(groups: number, length: number): string {
  const group = () =>
    Array.from({ length }, () => LETTERS[randomInt(LETTERS.length)] ?? '').join('');
  return Array.from({ length: groups }, group).join('-');
}

/** A typed code in the form in which codes are compared: no dashes, no spaces, all capitals. */
export function normalizeSpokenCode(typed: string): string {
  return typed.replace(/[\s-]/g, '').toUpperCase();
}
