import { VALUE_PLACE } from '../../../lab/value-place.ts';

/** A block's text with the hosts' own numbers, as the page's blocks show them now; braces that are no value stay. */
export function withValues(text: string): string {
  return text.replace(VALUE_PLACE, (place, id: string) => {
    const shown = document.querySelector(`[data-host-block] [data-value-id="${CSS.escape(id)}"]`);
    return shown?.textContent ?? place;
  });
}
