/**
 * A path on this server as browsers ask for it: below the path of another site, where the pages were built for one.
 *
 * @param path begins with a slash
 */
export function withBase(path: string): string {
  return import.meta.env.BASE_URL.replace(/\/$/, '') + path;
}
