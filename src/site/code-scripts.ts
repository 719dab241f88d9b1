import { createRenderer } from '@astrojs/starlight/expressive-code';

/** How the scripts of Expressive Code look for blocks in all that is ever added to the page. */
const WATCH =
  /var (\w+)=new MutationObserver\((?:(?!MutationObserver).)*?\);\1\.observe\(document\.body,\{childList:!0,subtree:!0\}\);/gs;

/**
 * Expressive Code whose scripts look for code blocks when a page has arrived (`astro:page-load`), and not in each element
 * that is added: a terminal adds thousands of them a second.
 */
export async function createCodeRenderer(
  ...options: Parameters<typeof createRenderer>
): ReturnType<typeof createRenderer> {
  const renderer = await createRenderer(...options);
  return { ...renderer, jsModules: renderer.jsModules.map(onArrivalOnly) };
}

/** @throws where the script watches the page in another way, or does not know when a page has arrived */
export function onArrivalOnly(script: string): string {
  const left = script.replaceAll(WATCH, '');
  if (!left.includes('MutationObserver') && left.includes('"astro:page-load"')) return left;
  throw new Error(
    'A script of Expressive Code watches the page in a way that src/site/code-scripts.ts does not know. Adapt WATCH to it.',
  );
}
