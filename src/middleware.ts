import { defineMiddleware } from 'astro:middleware';
import { withBase } from './client/base-path.ts';
import { linksBelow } from './site/base-links.ts';
import { labPageOf } from './site/lab-pages.ts';

const BASE_PATH = withBase('');

/**
 * Says on `<html>` that a page is a lab's (`data-lab-page`), for the styles that the whole document has of it. Starlight
 * writes that element, and has no place for attributes of ours. Below a path of another site, the page's links lead there.
 */
export const onRequest = defineMiddleware(async ({ params }, next) => {
  const response = await next();
  const isLab = labPageOf(params.slug ?? '') !== undefined;
  if (!isLab && BASE_PATH === '') return response;
  const page = await response.text();
  const marked = isLab ? page.replace('<html ', '<html data-lab-page ') : page;
  return new Response(BASE_PATH === '' ? marked : linksBelow(BASE_PATH, marked), response);
});
