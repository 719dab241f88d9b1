import type { LabView } from '#protocol';
import { ApiError, request } from './request.ts';

/**
 * Shows a list's labs that this server has, in its order; where it does not say, they stay as the build has them.
 *
 * @param list its labs carry their names in `data-lab`
 * @param before what comes after them in the list
 */
export async function arrangeLabs(list: Element, before: Element | null = null): Promise<void> {
  try {
    for (const { name } of await request<readonly LabView[]>('GET', '/api/labs')) {
      const item = list.querySelector<HTMLElement>(`[data-lab="${name}"]`);
      if (!item) continue;
      item.hidden = false;
      list.insertBefore(item, before);
    }
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
  }
}
