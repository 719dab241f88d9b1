import type { TerminalView, VisitView } from '#protocol';
import { ApiError, type LabApi } from '../api.ts';
import { confirmed } from '../confirm.ts';
import { hostNameOf, type LabData } from '../lab-data.ts';
import type { LabState, LabView } from '../lab-state.ts';
import { set, setText } from '../set.ts';
import { BrowserPane } from './browser-pane.ts';
import { ClosingTerminals } from './closing.ts';
import { EndingNotice } from './ending.ts';
import { FilesTabs } from './files-tabs.ts';
import { HostMenu } from './host-menu.ts';
import { changeLine, noticeLine, paintNotice } from './notice.ts';
import { type SelectedBy, type Tab, Tabs } from './tabs.ts';
import { TerminalTab } from './terminal-tab.ts';

const BROWSER = 'browser';
/** How long a Run waits for hosts that are starting before it gives up. */
const READY_WITHIN_MS = 60_000;
/** A terminal is told with the answer that names it; one that was closed meanwhile never is. */
const OPEN_WITHIN_MS = 5_000;
/** A message that nobody needs to act on goes by itself. */
const MESSAGE_MS = 8_000;
/** A page that is loaded again is two for a moment, until the server has noticed that the first is gone. */
const SHARED_FOR_MS = 2_000;

/** The lines of one kind among what needs attention. */
function warnings(part: string): readonly HTMLElement[] {
  return [...document.querySelectorAll<HTMLElement>(`.lab-warnings [data-part="${part}"]`)];
}

/**
 * The right-hand side: a tab for each terminal, the browser pane, and what is said while there are neither. It shows
 * what the session has and asks the server for more; it never decides by itself what is open.
 */
export class Workspace {
  readonly #root: HTMLElement;
  #lab: LabData;
  readonly #api: LabApi;
  readonly #state: LabState;
  readonly #tabs: Tabs;
  readonly #terminals = new Map<string, TerminalTab>();
  readonly #files: FilesTabs;
  readonly #browser: BrowserPane;
  readonly #ending: EndingNotice;
  readonly #closing: ClosingTerminals;
  readonly #front: () => void;
  readonly #rememberAs: string;
  #refusal: ApiError | undefined;
  #startedByItself = false;
  #messageTimer: ReturnType<typeof setTimeout> | undefined;
  #sharedTimer: ReturnType<typeof setTimeout> | undefined;

  /** @param front brings the workspace into sight where it takes turns with the prose */
  constructor(root: HTMLElement, lab: LabData, api: LabApi, state: LabState, front: () => void) {
    this.#root = root;
    this.#lab = lab;
    this.#api = api;
    this.#state = state;
    this.#front = front;
    this.#rememberAs = `quayside-tab:${lab.name}`;
    const part = (name: string) => root.querySelector<HTMLElement>(`[data-part="${name}"]`);
    const list = part('tabs');
    const browser = part('browser');
    const menu = part('menu');
    const plus = root.querySelector<HTMLButtonElement>('[data-part="plus"]');
    if (!list || !browser || !menu || !plus) {
      throw new Error('the workspace lacks a part');
    }
    this.#ending = new EndingNotice(warnings('ending'));
    this.#closing = new ClosingTerminals(warnings('closing'), () => this.#paint(state.view));
    this.#tabs = new Tabs(list, {
      onSelect: (tab, by) => this.#onSelect(tab, by),
      onClose: (tab) => this.#closeSoon(tab),
    });
    this.#tabs.add({ id: BROWSER, name: 'Browser', panel: browser, closable: false });
    this.#files = new FilesTabs(lab.name, this.#tabs, part('panels'));
    this.#browser = new BrowserPane(browser, api, `quayside-address:${lab.name}`);
    new HostMenu(plus, menu, {
      onOpen: (host) => void this.#open(host),
      onFiles: (host) => void this.showFiles(host),
      onRestart: (host) => void this.#restart(host),
      closable: () => (this.#tabs.current?.closable ? this.#tabs.current.name : undefined),
      onClose: () => this.#tabs.current && this.#closeSoon(this.#tabs.current),
    });
    state.subscribe(({ view, visit }) => {
      if (visit) this.#browser.hear(visit);
      else this.#paint(view);
    });
    this.#paint(state.view);
  }

  /** Another page of the lab is in sight. */
  turnTo(lab: LabData): void {
    this.#lab = lab;
    this.#paint(this.#state.view);
  }

  /** Starts the session, or starts it again. */
  async start(): Promise<void> {
    this.#refusal = undefined;
    try {
      this.#state.answered(await this.#api.start());
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      this.#refusal = error;
      this.#paint(this.#state.view);
    }
  }

  /** Starts a session that nobody has asked for: tried once, so that a refusal is not asked for again and again. */
  async startOnce(): Promise<void> {
    if (this.#startedByItself) return;
    this.#startedByItself = true;
    await this.start();
  }

  /** Asks for more time before the session ends. */
  async extend(): Promise<void> {
    try {
      this.#state.answered(await this.#api.extend());
      this.say('The session goes on.');
      this.focus();
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      this.say(`${error.message} ${error.remedy}`);
    }
  }

  /** Has a block typed on a host, brings the terminal where it is typed to the front and puts the cursor there. */
  async run(host: string, block: string, second: boolean): Promise<void> {
    this.#front();
    if (!(await this.#ready())) return;
    try {
      const { terminal: id } = await this.#api.run(host, block, second);
      // A terminal that was opened for it may be told after this answer.
      await this.#state.whenOpen(id, AbortSignal.timeout(OPEN_WITHIN_MS));
      await this.showTerminal(id);
      await this.#terminals.get(id)?.focus();
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      this.say(`${error.message} ${error.remedy}`);
    }
  }

  /** Brings a terminal of a host to the front. @param inRun the one in which something runs, where there is any */
  async showHost(name: string, inRun = false): Promise<void> {
    this.#front();
    const host = hostNameOf(this.#lab, name);
    const run = this.#state.view.snapshot?.runs.findLast((each) => inRun && each.host === host);
    const busy = [...this.#terminals.values()].find(
      ({ view, isBusy }) => inRun && isBusy && view.host === host,
    );
    const terminal =
      this.#terminals.get(run?.terminal ?? '') ?? busy ?? (await this.#terminalOf(host));
    if (!terminal) return;
    this.#bringForward(terminal.view.id);
    await terminal.focus();
  }

  /** Brings the files of a host to the front, opens one of them, and puts a text into it. */
  async showFiles(name: string, path?: string, text?: string): Promise<void> {
    this.#front();
    if (!(await this.#ready())) return;
    const id = this.#files.add(hostNameOf(this.#lab, name));
    this.#paint(this.#state.view);
    this.#bringForward(id);
    await this.#files.show(id, path, text);
  }

  /** Brings a terminal to the front, and leaves the focus where it is. */
  async showTerminal(id: string): Promise<void> {
    this.#front();
    const terminal = this.#terminals.get(id);
    if (!terminal || this.#tabs.current?.id === id) return;
    this.#bringForward(id);
    await terminal.show();
  }

  /** Shows a page that was opened for the learner, and leaves the focus where it is. */
  showVisit(visit: VisitView): void {
    this.#front();
    if (this.#tabs.current?.id !== BROWSER) this.#bringForward(BROWSER);
    this.#browser.present(visit);
  }

  /** Opens an address in the browser pane; without one, brings the pane to the front. */
  async showBrowser(url?: string): Promise<void> {
    this.#front();
    this.#bringForward(BROWSER);
    if (url === undefined) {
      this.#browser.focus();
      return;
    }
    if (await this.#ready()) await this.#browser.open(url);
  }

  /** In so many windows pages of this session are open, of whichever browser: said once, when another one is there. */
  tellWindows(windows: number): void {
    if (windows > 1) {
      this.#sharedTimer ??= setTimeout(
        () => this.say('These hosts are open in another window too.'),
        SHARED_FOR_MS,
      );
      return;
    }
    clearTimeout(this.#sharedTimer);
    this.#sharedTimer = undefined;
  }

  /** A line about something that did not work, read out and gone after a while. */
  say(text: string): void {
    const messages = warnings('message');
    for (const message of messages) {
      message.textContent = text;
      message.hidden = false;
    }
    clearTimeout(this.#messageTimer);
    this.#messageTimer = setTimeout(() => {
      for (const message of messages) message.hidden = true;
    }, MESSAGE_MS);
  }

  /** Terminals that are being closed stay. */
  undoClose(): void {
    this.#closing.undo();
  }

  /** Puts the focus on the tab in front, or on what the notice offers. */
  focus(): void {
    const offered = this.#root.querySelector<HTMLElement>('[data-part="notice"] button');
    if (offered) offered.focus();
    else this.#tabs.focus();
  }

  /** The workspace has come into sight: what is in front takes its size. */
  async refresh(): Promise<void> {
    await this.#terminals.get(this.#tabs.current?.id ?? '')?.show();
  }

  #paint(view: LabView): void {
    const status = view.snapshot?.status;
    // To whoever reads this from outside, a session in the queue is one that is starting.
    const state = status?.state === 'queued' ? 'starting' : status?.state;
    const isNews = this.#root.dataset.sessionState !== state;
    set(this.#root.dataset, 'sessionState', state ?? 'none');
    // The hosts may be other ones than before.
    if (isNews && state === 'ready' && this.#files.has(this.#tabs.current?.id ?? '')) {
      void this.#files.refresh([this.#tabs.current?.id ?? '']);
    }
    this.#root.toggleAttribute('data-reconnecting', view.link.state === 'reconnecting');
    if (status?.state === 'starting' || status?.state === 'ready') this.#refusal = undefined;
    const running = status?.state === 'starting' || status?.state === 'ready';
    this.#paintTerminals(running ? (view.snapshot?.terminals ?? []) : []);
    this.#ending.show(view.snapshot?.ending);
    const notice = this.#root.querySelector<HTMLElement>('[data-part="notice"]');
    if (notice) paintNotice(notice, this.#lab, view, this.#refusal);
    const isOverText = document.querySelector('[data-warnings-place="text"] .lab-warnings');
    const line =
      (isOverText ? noticeLine(this.#lab, view, this.#refusal) : undefined) ?? changeLine(view);
    for (const place of warnings('standing')) {
      setText(place, line ?? '');
      set(place, 'hidden', line === undefined);
    }
  }

  #paintTerminals(all: readonly TerminalView[]): void {
    const views = all.filter(({ id }) => !this.#closing.has(id));
    const wanted = new Set(views.map(({ id }) => id));
    // Fresh hosts begin with the first terminal, whatever was looked at on the old ones.
    if (views.length === 0 && this.#terminals.size > 0) sessionStorage.removeItem(this.#rememberAs);
    for (const [id, terminal] of this.#terminals) {
      if (wanted.has(id)) continue;
      this.#terminals.delete(id);
      const next = this.#tabs.remove(id);
      if (next && wanted.size > 0) this.#remember(next);
      terminal.dispose();
    }
    const panels = this.#root.querySelector('[data-part="panels"]');
    for (const view of views) {
      if (this.#terminals.has(view.id)) continue;
      const terminal = new TerminalTab(view, this.#api, {
        onActivity: (id) => this.#tabs.markActive(id),
        onRenew: (old) => void this.#renew(old),
        onDone: ({ id }) => void this.#close(id),
      });
      this.#terminals.set(view.id, terminal);
      panels?.prepend(terminal.panel);
      this.#tabs.add({ id: view.id, name: view.title, panel: terminal.panel, closable: true });
    }
    this.#tabs.order([...views.map(({ id }) => id), ...this.#files.ids]);
    this.#noteAliases(views);
    this.#recall(views);
  }

  /** Who follows a block on `agent01` sees that this is the tab it means. */
  #noteAliases(views: readonly TerminalView[]): void {
    const blocks = [...document.querySelectorAll<HTMLElement>('[data-host-block]')];
    const named = new Set(blocks.map(({ dataset }) => dataset.hostBlock));
    for (const { id, host } of views) {
      const { aliases = [] } = this.#lab.hosts.find(({ name }) => name === host) ?? {};
      this.#tabs.note(id, aliases.filter((alias) => named.has(alias)).join(', '));
    }
  }

  /** What the learner last looked at comes to the front again, be it after a reload; else the first terminal. */
  #recall(views: readonly TerminalView[]): void {
    const remembered = sessionStorage.getItem(this.#rememberAs) ?? '';
    const wanted = this.#tabs.has(remembered) ? remembered : (views[0]?.id ?? BROWSER);
    if (this.#tabs.current?.id !== wanted) this.#tabs.select(wanted);
  }

  #onSelect(tab: Tab, by: SelectedBy): void {
    for (const [id, terminal] of this.#terminals) {
      if (id === tab.id) void terminal.show();
      else void terminal.hide();
    }
    if (this.#files.has(tab.id)) void this.#files.refresh([tab.id]);
    if (by !== 'page') this.#remember(tab.id);
    if (by === 'pointer') void this.#terminals.get(tab.id)?.focus();
  }

  #bringForward(id: string): void {
    this.#remember(id);
    this.#tabs.select(id);
  }

  #remember(id: string): void {
    sessionStorage.setItem(this.#rememberAs, id);
  }

  async #open(host: string): Promise<TerminalTab | undefined> {
    try {
      const view = await this.#api.openTerminal(host);
      const terminals = this.#state.view.snapshot?.terminals ?? [];
      if (!terminals.some(({ id }) => id === view.id)) {
        this.#state.apply({ type: 'terminals', terminals: [...terminals, view] });
      }
      this.#bringForward(view.id);
      const terminal = this.#terminals.get(view.id);
      await terminal?.focus();
      return terminal;
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      this.say(`${error.message} ${error.remedy}`);
      return undefined;
    }
  }

  /** Everything that runs on the host ends; its terminals come back by themselves. */
  async #restart(host: string): Promise<void> {
    const dialog = document.getElementById('lab-restart') as HTMLDialogElement;
    for (const part of dialog.querySelectorAll('[data-restart-name]')) part.textContent = host;
    if (!(await confirmed(dialog))) return;
    this.say(`${host} is being restarted.`);
    try {
      await this.#api.restartHost(host);
      // Its engine may be one that the learner has broken: that stands on the host's own line.
      this.say(`${host} has been restarted.`);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      this.say(`${error.message} ${error.remedy}`);
    }
  }

  /** A shell at its prompt closes at once; anything else can be had back for a while. */
  #closeSoon({ id, name }: Tab): void {
    if (this.#files.has(id)) {
      void this.#files.close(id).then(() => this.#remember(this.#tabs.current?.id ?? BROWSER));
      return;
    }
    const terminal = this.#terminals.get(id);
    if (!terminal || terminal.isIdle) void this.#close(id);
    else this.#closing.add(id, name, () => void this.#close(id));
  }

  async #close(id: string): Promise<void> {
    // At once to the eye; should the server refuse, its next list brings the tab back.
    const terminals = (this.#state.view.snapshot?.terminals ?? []).filter((each) => each.id !== id);
    this.#state.apply({ type: 'terminals', terminals });
    try {
      await this.#api.closeTerminal(id);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (error.code !== 'TERMINAL_UNKNOWN') this.say(`${error.message} ${error.remedy}`);
    }
  }

  /** The old one goes first, so that the new one may bear its name. */
  async #renew(old: TerminalView): Promise<void> {
    await this.#close(old.id);
    await this.#open(old.host);
  }

  /** The terminal in front if it is the host's, else the host's first, else a new one. */
  async #terminalOf(host: string): Promise<TerminalTab | undefined> {
    if (!(await this.#ready())) return undefined;
    const front = this.#terminals.get(this.#tabs.current?.id ?? '');
    const fits = ({ view, ended }: TerminalTab) => view.host === host && !ended;
    if (front && fits(front)) return front;
    const first = [...this.#terminals.values()].find(fits);
    return first ?? (await this.#open(host));
  }

  /** Waits for the hosts, and starts them where nobody has. */
  async #ready(): Promise<boolean> {
    const { snapshot } = this.#state.view;
    if (!snapshot) return false;
    if (snapshot.status.state === 'none') await this.start();
    // Where they do not get ready, the notice over the workspace says why, and what to do.
    return this.#state.whenReady(AbortSignal.timeout(READY_WITHIN_MS));
  }
}
