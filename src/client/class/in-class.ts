import type { ClassView } from '#protocol';
import { ApiError, request } from '../request.ts';

/** Shows a learner how they are in their class. Where there is no class, none of that code is loaded. */
async function takePlace(bar: HTMLElement, messages: HTMLElement): Promise<void> {
  const view = await request<ClassView>('GET', '/api/class');
  if (view.mode !== 'class' || !view.me) return;
  const { ClassStatusOnPage } = await import('./my-status.ts');
  await new ClassStatusOnPage(bar, messages).begin();
}

const bar = document.querySelector<HTMLElement>('[data-class-bar]');
const messages = document.querySelector<HTMLElement>('[data-class-messages]');
if (bar && messages) {
  takePlace(bar, messages).catch((error: unknown) => {
    // No server, or none yet: the page's own link says so.
    if (!(error instanceof ApiError)) throw error;
  });
}
