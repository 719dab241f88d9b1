const TAG = /<[a-z](?:[^<>"]|"[^"]*")*>/gi;
/** An attribute that leads to a path of this server. A quote within another attribute's value is escaped. */
const LINK = /(\s(?:href|src|action|poster)=")(\/(?!\/)[^"]*)/gi;

/**
 * Puts the base path before each link of a page to this server, unless it stands there already: authors write
 * `/labs/storage/` wherever the pages are served.
 *
 * @param basePath `/quayside`
 */
export function linksBelow(basePath: string, html: string): string {
  const isBelow = (path: string) => path === basePath || path.startsWith(`${basePath}/`);
  return html.replace(TAG, (tag) =>
    tag.replace(LINK, (link, before: string, path: string) =>
      isBelow(path) ? link : before + basePath + path,
    ),
  );
}
