/**
 * Runs in every page of the pane, before any script of its own; its text is written into the page, and it is never
 * called here. The frame's document has neither an origin nor the address that its server gave it. So what scripts ask
 * for goes out below the pane's key, cookies are read and set over there, and what cannot work is told to the page
 * around, which says so. It protects nobody: that does the frame's sandbox.
 *
 * @param root where everything of the pane is: `/pane/<key>/`
 * @param page the address of the page itself
 */
export function prelude(root: string, page: string): void {
  const own = new URL(page);
  const tell = (what: string): void => window.parent.postMessage({ quaysidePane: what }, '*');
  tell('begin');

  const through = (address: string | URL): string => {
    const url = new URL(address, document.baseURI);
    if (!/^(http|ws)s?:$/.test(url.protocol)) return url.href;
    const isHere = url.host === window.location.host;
    if (isHere && url.pathname.startsWith(root)) return url.href;
    // Scripts make such addresses of `location.host`, and mean the page's server.
    const { protocol, host } = isHere ? own : url;
    const scheme = /s:$/.test(protocol) ? 'https' : 'http';
    const path = `${root}${scheme}/${host}${url.pathname}${url.search}${url.hash}`;
    return window.location.origin + path;
  };

  // A page's own headers travel in one: a proxy on the way may add others, and those are none of the lab's business.
  const packed = (headers: Headers): Headers => {
    const plain = new Headers();
    const rest: Record<string, string> = {};
    headers.forEach((value, name) => {
      if (name === 'accept' || name === 'content-type') plain.set(name, value);
      else rest[name] = value;
    });
    const text = JSON.stringify(rest);
    if (text !== '{}') plain.set('x-pane-headers', encodeURIComponent(text));
    return plain;
  };

  const nativeFetch = window.fetch;
  window.fetch = async (input, init) => {
    const request = new Request(input, init);
    const { method, signal, keepalive } = request;
    const body = /^(GET|HEAD)$/.test(method) ? null : await request.arrayBuffer();
    const headers = packed(request.headers);
    const credentials = 'omit';
    const to = through(request.url);
    const answer = await nativeFetch(to, { method, headers, body, signal, keepalive, credentials });
    const said = answer.headers.get('x-pane-says');
    if (said !== null) tell(said);
    return answer;
  };
  navigator.sendBeacon = (url, body) => {
    window.fetch(url, { method: 'POST', body: body ?? null, keepalive: true }).catch(() => {});
    return true;
  };

  const asked = XMLHttpRequest.prototype;
  const { open, send, setRequestHeader } = asked;
  const headersOf = new WeakMap<XMLHttpRequest, Headers>();
  asked.open = function (this: XMLHttpRequest, method: string, url: string | URL, later?: boolean) {
    headersOf.set(this, new Headers());
    open.call(this, method, through(url), later ?? true);
  };
  asked.setRequestHeader = function (name, value) {
    headersOf.get(this)?.append(name, value);
  };
  asked.send = function (body) {
    this.withCredentials = false;
    packed(headersOf.get(this) ?? new Headers()).forEach((value, name) => {
      setRequestHeader.call(this, name, value);
    });
    this.addEventListener('load', () => {
      const said = this.getResponseHeader('x-pane-says');
      if (said !== null) tell(said);
    });
    send.call(this, body);
  };

  const watched = <Stream extends EventTarget>(stream: Stream): Stream => {
    let opened = false;
    stream.addEventListener('open', () => {
      opened = true;
    });
    stream.addEventListener('error', () => {
      if (!opened) tell('stream');
    });
    return stream;
  };
  window.WebSocket = new Proxy(window.WebSocket, {
    construct: (Native, [url, protocols]) =>
      watched(new Native(through(url).replace('http', 'ws'), protocols ?? [])),
  });
  window.EventSource = new Proxy(window.EventSource, {
    construct: (Native, [url]) => watched(new Native(through(url))),
  });

  const cookies = (set?: string): string => {
    const request = new XMLHttpRequest();
    const path = `${root}cookie/${own.protocol.slice(0, -1)}/${own.host}${own.pathname}`;
    open.call(request, set === undefined ? 'GET' : 'POST', path, false);
    send.call(request, set ?? null);
    return request.responseText;
  };
  Object.defineProperty(document, 'cookie', {
    get: () => cookies(),
    set: (each) => cookies(`${each}`),
  });

  // What is stored is a property of its own, as in the real one.
  const kept: ThisType<Record<string, string>> = {
    getItem(key: string) {
      return Object.hasOwn(this, key) ? this[key] : null;
    },
    setItem(key: string, value: unknown) {
      this[key] = `${value}`;
    },
    removeItem(key: string) {
      delete this[key];
    },
    clear() {
      for (const key of Object.keys(this)) delete this[key];
    },
    key(place: number) {
      return Object.keys(this)[place] ?? null;
    },
    get length() {
      return Object.keys(this).length;
    },
  };
  const instead = (of: object, name: string, value: unknown, what: string): void => {
    const get = (): unknown => {
      tell(what);
      return value;
    };
    Object.defineProperty(of, name, { get, configurable: true });
  };
  instead(window, 'localStorage', Object.create(kept), 'storage');
  instead(window, 'sessionStorage', Object.create(kept), 'storage');
  instead(navigator, 'serviceWorker', undefined, 'service-worker');
  for (const [name, what] of [
    ['open', 'window'],
    ['alert', 'dialog'],
    ['confirm', 'dialog'],
    ['prompt', 'dialog'],
  ] as const) {
    Object.assign(window, {
      [name]: () => {
        tell(what);
        return name === 'confirm' ? false : null;
      },
    });
  }
  for (const name of ['pushState', 'replaceState'] as const) {
    const native = history[name];
    history[name] = (state, title, url) => {
      if (url !== undefined && url !== null) tell('address');
      native.call(history, state, title);
    };
  }

  // What scripts have put into the page since it was rewritten.
  const mended = ['img-src', 'media-src', 'style-src-elem'];
  const mend = (element: Element, name: string): void => {
    const address = element.getAttribute(name);
    if (address === null || address.startsWith('#')) return;
    const to = through(address);
    if (new URL(address, document.baseURI).href !== to) element.setAttribute(name, to);
  };
  const leaves = (form: HTMLFormElement, submitter?: HTMLElement | null): void => {
    if (form.getAttribute('action') === null) form.setAttribute('action', page);
    mend(form, 'action');
    if (submitter) mend(submitter, 'formaction');
    form.removeAttribute('target');
  };
  window.addEventListener('click', (event) => {
    const link = event.composedPath().find((each) => each instanceof HTMLAnchorElement);
    if (!link || event.defaultPrevented) return;
    link.removeAttribute('target');
    const to = link.getAttribute('href') ?? '';
    if (!to.startsWith('#')) return mend(link, 'href');
    event.preventDefault();
    window.location.hash = to;
  });
  window.addEventListener('submit', (event) => {
    if (!event.defaultPrevented) leaves(event.target as HTMLFormElement, event.submitter);
  });
  const { submit } = HTMLFormElement.prototype;
  HTMLFormElement.prototype.submit = function () {
    leaves(this);
    submit.call(this);
  };
  window.addEventListener(
    'error',
    ({ target }) => {
      if (!(target instanceof Element) || target instanceof HTMLScriptElement) return;
      mend(target, 'src');
      mend(target, 'href');
    },
    true,
  );
  // These may load before they are part of the page, or only once.
  for (const { prototype } of [HTMLScriptElement, HTMLImageElement]) {
    const source = Object.getOwnPropertyDescriptor(prototype, 'src') ?? {};
    const set = function (this: Element, url: string): void {
      source.set?.call(this, through(url));
    };
    Object.defineProperty(prototype, 'src', { ...source, set });
  }
  document.addEventListener('securitypolicyviolation', ({ effectiveDirective }) => {
    if (!mended.includes(effectiveDirective)) tell('blocked');
  });
}
