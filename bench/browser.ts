import { type Browser, chromium } from '@playwright/test';
import { CHROMIUM, NO_GRAPHICS, QUIET } from '../client-driver/chromium.ts';

/** What draws where there is no graphics card: nothing, or the processor (SwiftShader). */
const GRAPHICS = {
  none: NO_GRAPHICS,
  software: ['--use-angle=swiftshader', '--enable-unsafe-swiftshader'],
} as const;

/** A headless browser for a bench. @param graphics what WebGL has to draw with */
export function openBrowser(graphics: keyof typeof GRAPHICS = 'none'): Promise<Browser> {
  return chromium.launch({ executablePath: CHROMIUM, args: [...QUIET, ...GRAPHICS[graphics]] });
}
