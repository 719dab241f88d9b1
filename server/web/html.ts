import type { FastifyReply, FastifyRequest } from 'fastify';
import type { QuaysideError } from '../base/errors.ts';
import { PLAIN_PAGE_CSP } from './csp.ts';

/** A page of the server's own, for when the site's pages cannot speak. It needs no script, style sheet or font. */
export function page(title: string, body: string): string {
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark">
<title>${title}</title>
<style>body{font:16px/1.6 system-ui,sans-serif;max-width:38rem;margin:12vh auto;padding:0 1.5rem}h1{font-size:1.5rem}</style>
<h1>${title}</h1>
${body}
</html>
`;
}

/** Text as it may stand in HTML, in an attribute too. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (each) => `&#${each.charCodeAt(0)};`);
}

/** Answers with a page of the server's own. */
export function plainPage(
  reply: FastifyReply,
  status: number,
  html: string,
  policy = PLAIN_PAGE_CSP,
): FastifyReply {
  return reply
    .code(status)
    .header('cache-control', 'no-store')
    .header('content-security-policy', policy)
    .type('text/html; charset=utf-8')
    .send(html);
}

/** An error as a page, for whoever has asked with the address bar. */
export function errorPage(reply: FastifyReply, { message, remedy, status }: QuaysideError) {
  return plainPage(reply, status, page(escapeHtml(message), `<p>${escapeHtml(remedy)}</p>`));
}

/** Whether somebody looks at the answer, and not a program. */
export function reads({ headers, url }: FastifyRequest): boolean {
  return headers.accept?.includes('text/html') === true && !url.startsWith('/api/');
}
