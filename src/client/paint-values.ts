import type { LabView } from './lab-state.ts';

/**
 * Puts the hosts' own numbers into the prose, where an address of a page becomes a link into the browser pane, and as
 * they are into the drawings.
 */
export function paintValues(page: ParentNode, { snapshot }: LabView): void {
  for (const element of page.querySelectorAll<HTMLElement | SVGElement>('[data-value-id]')) {
    const text = snapshot?.values.find(({ id }) => id === element.dataset.valueId)?.text;
    const shown = text ?? element.dataset.valuePlaceholder ?? '';
    if (element.textContent === shown) continue;
    if (!element.classList.contains('value')) {
      element.textContent = shown;
      continue;
    }
    element.toggleAttribute('data-value-live', text !== undefined);
    const code = document.createElement('code');
    code.textContent = shown;
    element.replaceChildren(text?.startsWith('http://') ? link(text, code) : code);
  }
}

function link(url: string, content: Node): HTMLAnchorElement {
  const anchor = document.createElement('a');
  anchor.href = url;
  anchor.dataset.visit = url;
  anchor.append(content);
  return anchor;
}
