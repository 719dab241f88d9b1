import { AxeBuilder } from '@axe-core/playwright';
import type { Page } from '@playwright/test';
import { expect } from './learner.ts';

const SERIOUS: readonly unknown[] = ['serious', 'critical'];

/** WCAG 2.2: a target of 24 by 24 pixels, or as much room around it. axe leaves it out unless it is asked for. */
const TARGETS = { rules: { 'target-size': { enabled: true } } };

/** axe finds nothing serious in the page as it stands; `where` is said of what it does find. */
export async function isAccessible(page: Page, where: string): Promise<void> {
  await page.waitForFunction(isCodeReachable);
  // The colours of code are Expressive Code's, which holds their contrast itself.
  const axe = new AxeBuilder({ page }).options(TARGETS).exclude('.expressive-code pre code');
  const { violations } = await axe.analyze();
  expect(
    violations
      .filter(({ impact }) => SERIOUS.includes(impact))
      .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' | ')}`),
    where,
  ).toEqual([]);
}

/** Expressive Code lets the keyboard reach what it can scroll, once the page is idle. */
function isCodeReachable(): boolean {
  const blocks = [...document.querySelectorAll('.expressive-code pre')];
  return blocks.every((pre) => pre.scrollWidth <= pre.clientWidth || pre.hasAttribute('tabindex'));
}
