import { onTerminalPreferences } from './preferences.ts';

/** Calls back when terminals should look different: the page's theme, the learner's preferences, or how calm it is to be. */
export function onAppearanceChange(changed: () => void, signal: AbortSignal): void {
  onTerminalPreferences(changed, signal);
  matchMedia('(prefers-reduced-motion: reduce)').addEventListener('change', changed, { signal });
  const themed = new MutationObserver(changed);
  themed.observe(document.documentElement, { attributeFilter: ['data-theme'] });
  signal.addEventListener('abort', () => themed.disconnect());
}
