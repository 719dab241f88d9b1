import { type Browser, chromium } from '@playwright/test';

/** Debian's browser, with its own services silent. */
const CHROMIUM = process.env.QUAYSIDE_CHROMIUM ?? '/usr/bin/chromium';
const QUIET = [
  '--no-sandbox',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];
/** What draws where there is no graphics card: nothing, or the processor (SwiftShader). */
const GRAPHICS = {
  none: ['--disable-gpu'],
  software: ['--use-angle=swiftshader', '--enable-unsafe-swiftshader'],
} as const;

/** A headless browser for a bench. @param graphics what WebGL has to draw with */
export function openBrowser(graphics: keyof typeof GRAPHICS = 'none'): Promise<Browser> {
  return chromium.launch({ executablePath: CHROMIUM, args: [...QUIET, ...GRAPHICS[graphics]] });
}
