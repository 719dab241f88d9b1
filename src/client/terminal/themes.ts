import type { ITheme } from '@xterm/xterm';

export type ThemeName = 'light' | 'dark';

/** Every colour has a contrast of at least 4.5 with its background; xterm sees to the rest (`minimumContrastRatio`). */
export const THEMES: Readonly<Record<ThemeName, ITheme>> = {
  dark: {
    background: '#11151c',
    foreground: '#d9dee7',
    cursor: '#8ab4f8',
    cursorAccent: '#11151c',
    selectionBackground: '#2f4668',
    black: '#20262f',
    red: '#f28b82',
    green: '#7fcf91',
    yellow: '#e5c46b',
    blue: '#8ab4f8',
    magenta: '#d3a4f0',
    cyan: '#77cfd6',
    white: '#d9dee7',
    brightBlack: '#8b95a5',
    brightRed: '#ffb0a8',
    brightGreen: '#a3e3b1',
    brightYellow: '#f5dc94',
    brightBlue: '#b3cdfb',
    brightMagenta: '#e5c6f8',
    brightCyan: '#a5e4e9',
    brightWhite: '#ffffff',
  },
  light: {
    background: '#fafbfc',
    foreground: '#22272e',
    cursor: '#1f5fbf',
    cursorAccent: '#fafbfc',
    selectionBackground: '#c5daf7',
    black: '#22272e',
    red: '#b3261e',
    green: '#1b6e34',
    yellow: '#7a5600',
    blue: '#1f5fbf',
    magenta: '#8430a8',
    cyan: '#0c6a75',
    white: '#5b6573',
    brightBlack: '#5b6573',
    brightRed: '#8f1b15',
    brightGreen: '#135427',
    brightYellow: '#5e4200',
    brightBlue: '#174a97',
    brightMagenta: '#692585',
    brightCyan: '#08525b',
    brightWhite: '#22272e',
  },
};

/** The page's theme, as Starlight writes it on the root element. */
export function currentTheme(): ThemeName {
  return document.documentElement.dataset.theme === 'light' ? 'light' : 'dark';
}
