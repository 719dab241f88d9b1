/**
 * Moves between the pages of one lab without leaving the document: only the prose is exchanged, so the terminals and
 * the browser pane stay exactly as they are. It rides on the Navigation API, which keeps address, history, scrolling
 * and focus as the browser would; where a browser lacks it, pages load as usual and the terminals attach again.
 *
 * @param root path that all pages of the lab begin with, e.g. `/labs/docker-networking/`
 * @param onArrive called with the page that has been put in place of the old one
 */
export function navigateSoftly(root: string, onArrive: (page: Document) => void): void {
  if (!('navigation' in window)) return;
  const ran = new Set(scriptsOf(document));
  window.navigation.addEventListener('navigate', (event) => {
    const to = new URL(event.destination.url);
    const plain = event.canIntercept && !event.hashChange && event.downloadRequest === null;
    const within = to.origin === location.origin && to.pathname.startsWith(root);
    if (!plain || !within || event.formData || event.navigationType === 'reload') return;
    if (to.pathname === location.pathname) return;
    event.intercept({
      handler: async () => {
        const page = await load(to, event.signal).catch(() => undefined);
        if (event.signal.aborted) return;
        if (!page || !(await exchange(page, ran))) {
          location.assign(to);
          return;
        }
        onArrive(page);
      },
    });
  });
}

async function load(url: URL, signal: AbortSignal): Promise<Document> {
  const response = await fetch(url, { signal });
  if (!response.ok) throw new Error(`${response.status} for ${url}`);
  return new DOMParser().parseFromString(await response.text(), 'text/html');
}

/** Puts the new page's prose in place of the old one. False where either has none. */
async function exchange(page: Document, ran: Set<string>): Promise<boolean> {
  const next = page.querySelector('main');
  const old = document.querySelector('main');
  if (!next || !old) return false;
  await styles(page);
  const scripts = scriptsOf(page);
  old.replaceWith(document.adoptNode(next));
  document.title = page.title;
  runScripts(scripts, ran);
  // Scripts that look for their elements once do it again: those of the code blocks.
  document.dispatchEvent(new Event('astro:page-load'));
  for (const link of document.querySelectorAll<HTMLAnchorElement>('#starlight__sidebar a')) {
    if (link.pathname === location.pathname) link.ariaCurrent = 'page';
    else link.removeAttribute('aria-current');
  }
  document.getElementById('starlight__sidebar')?.hidePopover?.();
  return true;
}

/** Style sheets that only the new page has are in place before it is seen. */
async function styles(page: Document): Promise<void> {
  const known = new Set([...document.querySelectorAll('link')].map((link) => link.href));
  const missing = [...page.querySelectorAll<HTMLLinkElement>('head link[rel="stylesheet"]')].filter(
    (link) => !known.has(link.href),
  );
  await Promise.all(
    missing.map((link) => {
      const copy = document.adoptNode(link);
      return new Promise<void>((resolve) => {
        copy.addEventListener('load', () => resolve(), { once: true });
        copy.addEventListener('error', () => resolve(), { once: true });
        document.head.append(copy);
      });
    }),
  );
}

/** A script that came by parsing does not run: those that this document has not run yet are made anew. */
function runScripts(urls: readonly string[], ran: Set<string>): void {
  for (const url of urls) {
    if (ran.has(url)) continue;
    ran.add(url);
    const script = document.createElement('script');
    script.type = 'module';
    script.src = url;
    document.head.append(script);
  }
}

function scriptsOf(page: Document): readonly string[] {
  return [...page.scripts].map(({ src }) => src).filter((src) => src !== '');
}
