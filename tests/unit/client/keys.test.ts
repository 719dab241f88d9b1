import { describe, expect, it } from 'vitest';
import { keyNameOf } from '../../../src/client/terminal/keys.ts';

/** A key pressed with Shift: what it prints, and where it is on the keyboard. */
const names = (key: string, code: string) => keyNameOf({ key, code });

describe('what stands on a key', () => {
  it.each([
    ['QWERTY', 'C', 'KeyC', 'c'],
    ['QWERTY', '>', 'Period', '.'],
    ['QWERTY', '<', 'Comma', ','],
    ['QWERTZ', ':', 'Period', '.'],
    ['QWERTZ', ';', 'Comma', ','],
    ['Dvorak', 'C', 'KeyI', 'c'],
    ['Dvorak', 'J', 'KeyC', 'j'],
    ['Dvorak', 'V', 'Period', 'v'],
    ['Dvorak', '>', 'KeyE', '.'],
    ['Dvorak', '<', 'KeyW', ','],
    ['Colemak', 'F', 'KeyE', 'f'],
    ['Colemak', 'T', 'KeyF', 't'],
    ['AZERTY', '.', 'Comma', '.'],
    ['AZERTY', 'Q', 'KeyA', 'q'],
    ['Neo', 'Ä', 'KeyC', 'ä'],
    ['Cyrillic', 'С', 'KeyC', 'c'],
    ['Cyrillic', 'Ю', 'Period', '.'],
    ['Greek', 'Ψ', 'KeyC', 'c'],
    ['Arabic', '}', 'KeyC', 'c'],
  ])('%s: %s at %s is %s', (_, key, code, name) => {
    expect(names(key, code)).toBe(name);
  });

  it.each([
    ['QWERTZ: > beside the left Shift', '>', 'IntlBackslash'],
    ['AZERTY: ? at the place of M', '?', 'KeyM'],
    ['QWERTY: : at its own place', ':', 'Semicolon'],
    ['Bépo: : at the place of V', ':', 'KeyV'],
  ])('%s is no key of ours', (_, key, code) => {
    expect(['c', 'v', 'f', '.', ',']).not.toContain(names(key, code));
  });

  it('keys that print nothing keep their names', () => {
    expect(names('ArrowUp', 'ArrowUp')).toBe('ArrowUp');
    expect(names('Enter', 'NumpadEnter')).toBe('Enter');
  });
});
