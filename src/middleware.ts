import { defineMiddleware } from 'astro:middleware';
import { labPageOf } from './site/lab-pages.ts';

/**
 * Says on `<html>` that a page is a lab's (`data-lab-page`), for the styles that the whole document has of it. Starlight
 * writes that element, and has no place for attributes of ours.
 */
export const onRequest = defineMiddleware(async ({ params }, next) => {
  const response = await next();
  if (!labPageOf(params.slug ?? '')) return response;
  const html = (await response.text()).replace('<html ', '<html data-lab-page ');
  return new Response(html, response);
});
