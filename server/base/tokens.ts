import { createHash, randomBytes, randomInt, timingSafeEqual } from 'node:crypto';

/** Letters and digits that nobody mistakes for one another, read aloud or off a board: no 0 O, 1 I L, U V. */
const LETTERS = '23456789ABCDEFGHJKMNPQRSTWXYZ';

/** What is kept of a secret. All of ours are random and long, so a plain hash tells nothing about them. */
export function tokenHash(secret: string): string {
  return createHash('sha256').update(secret).digest('hex');
}

/** 256 random bits: what a browser shows for as long as it is somebody. */
export function newToken(): string {
  return randomBytes(32).toString('base64url');
}

/** Compares without telling by its duration how much was right. */
export function tokensEqual(given: string, expected: string): boolean {
  return timingSafeEqual(Buffer.from(tokenHash(given)), Buffer.from(tokenHash(expected)));
}

/** Random letters in groups that can be read out and typed: `K7PM-3QXR`. Each letter is worth 4.8 bits. */
export function newSpokenCode(groups: number, length: number): string {
  const group = () =>
    Array.from({ length }, () => LETTERS[randomInt(LETTERS.length)] ?? '').join('');
  return Array.from({ length: groups }, group).join('-');
}

/** As it was meant, however it was typed: no dashes, no spaces, all capitals. */
export function normalizeSpokenCode(typed: string): string {
  return typed.replace(/[\s-]/g, '').toUpperCase();
}
