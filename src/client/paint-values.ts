import { VALUE_PLACE } from '../../lab/value-place.ts';
import type { LabView } from './lab-state.ts';

/**
 * Puts the hosts' own numbers into the prose, where an address of a page becomes a link into the browser pane, and as
 * they are into the drawings and the blocks of commands, which are copied with them.
 */
export function paintValues(page: ParentNode, { snapshot }: LabView): void {
  for (const element of page.querySelectorAll<HTMLElement | SVGElement>('[data-value-id]')) {
    const text = snapshot?.values.find(({ id }) => id === element.dataset.valueId)?.text;
    const shown = text ?? element.dataset.valuePlaceholder ?? '';
    if (element.textContent === shown) continue;
    if (!element.classList.contains('value')) {
      element.textContent = shown;
      const block = element.closest('[data-host-block]');
      if (block) paintCopy(block);
      continue;
    }
    element.toggleAttribute('data-value-live', text !== undefined);
    const code = document.createElement('code');
    code.textContent = shown;
    element.replaceChildren(text?.startsWith('http://') ? link(text, code) : code);
  }
}

/** Has a block's Copy button, which carries the code as it was written, copy what is shown. */
function paintCopy(block: Element): void {
  const copy = block.querySelector<HTMLElement>('[data-code]');
  if (!copy) return;
  copy.dataset.written ??= copy.dataset.code ?? '';
  const places = [...block.querySelectorAll<HTMLElement>('[data-value-id]')];
  const shown = new Map(
    places.map(({ dataset, textContent }) => [dataset.valuePlaceholder, textContent]),
  );
  copy.dataset.code = copy.dataset.written.replace(
    VALUE_PLACE,
    (place) => shown.get(place) ?? place,
  );
}

function link(url: string, content: Node): HTMLAnchorElement {
  const anchor = document.createElement('a');
  anchor.href = url;
  anchor.dataset.visit = url;
  anchor.append(content);
  return anchor;
}
