/** Debian's browser, as the tests' set-up installs it. */
export const CHROMIUM = process.env.QUAYSIDE_CHROMIUM ?? '/usr/bin/chromium';
/** Its own services stay silent: it reaches nothing but us. */
export const QUIET = [
  '--no-sandbox',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
] as const;
/** No graphics card, and nothing in its place. */
export const NO_GRAPHICS = ['--disable-gpu'] as const;
