import { describe, expect, it } from 'vitest';
import { createCodeRenderer, onArrivalOnly } from '../../../src/site/code-scripts.ts';

describe('the scripts of code blocks', () => {
  it('look for blocks when a page has arrived, and watch nothing', async () => {
    const { jsModules } = await createCodeRenderer();
    const scripts = jsModules.join('\n');
    expect(scripts).toContain('clipboard.writeText');
    expect(scripts.split('"astro:page-load"')).toHaveLength(jsModules.length + 1);
    expect(scripts).not.toContain('MutationObserver');
    for (const script of jsModules) expect(() => new Function(script)).not.toThrow();
  });

  it('stop the build where a newer version watches in another way', () => {
    expect(() => onArrivalOnly('new MutationObserver(look).observe(document)')).toThrow(/WATCH/);
  });
});
