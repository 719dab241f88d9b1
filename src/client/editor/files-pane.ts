import type { FolderView, SavedView } from '#protocol';
import { ApiError } from '../api.ts';
import { bothTexts, mayLose, mayReplace } from './both-texts.ts';
import { type EditorState, EditorView, editorState, type MergeView } from './code-editor.ts';
import styles from './editor.css?inline';
import { element } from './elements.ts';
import { FileBar } from './file-bar.ts';
import { FilesApi } from './files-api.ts';
import { hearPane } from './hear-pane.ts';
import { removed, renamed } from './moves.ts';
import { isDirty, isWithin, type OpenFile } from './open-file.ts';
import { side } from './side.ts';
import { Tree } from './tree.ts';
import { NONE, uploaded } from './uploads.ts';
import { withValues } from './values.ts';

// With the code, for the build would put a style sheet of this size into every page.
document.head.append(element('style', { textContent: styles }));

/** What the place beside the tree shows. */
type Shown =
  | { readonly kind: 'nothing' }
  | { readonly kind: 'file'; readonly file: OpenFile; readonly view: EditorView }
  | {
      readonly kind: 'comparison';
      readonly file: OpenFile;
      readonly theirs: string;
      readonly view: MergeView;
    };

/** The files of one host: a tree, an editor, and the ways to bring files in and out. */
export class FilesPane {
  readonly #root: HTMLElement;
  readonly #host: string;
  readonly #api: FilesApi;
  readonly #tree: Tree;
  readonly #files = new Map<string, OpenFile>();
  readonly #body = element('div', { className: 'file-body' });
  readonly #bar: FileBar;
  readonly #ways = element('div', { className: 'file-ways', hidden: true });
  readonly #status = element('p', { className: 'files-status', role: 'status' });
  readonly #closed = new AbortController();
  #shown: Shown = { kind: 'nothing' };
  #saving = false;

  /** @param onDirty told whether any file has text that is not saved */
  constructor(root: HTMLElement, lab: string, host: string, onDirty: (dirty: boolean) => void) {
    this.#root = root;
    this.#host = host;
    this.#api = new FilesApi(lab, host);
    this.#tree = new Tree(`Files of ${host}`, {
      list: (path) => this.#list(path),
      open: (path) => void this.open(path),
      rename: () => void this.#rename(),
      remove: () => void this.#remove(),
    });
    this.#bar = new FileBar({
      open: (path) => void this.open(path),
      save: () => void this.save(),
      close: () => void this.#closeFile(),
    });
    root.append(
      element(
        'div',
        { className: 'files' },
        side(this.#tree.element, {
          open: (path) => void this.open(path),
          upload: (files) => this.#upload(files),
          refresh: () => void this.refresh(),
          rename: () => void this.#rename(),
          remove: () => void this.#remove(),
        }),
        element(
          'div',
          { className: 'file-main' },
          this.#bar.element,
          this.#ways,
          this.#body,
          this.#status,
        ),
      ),
    );
    this.#onDirty = onDirty;
    hearPane(root, this.#closed.signal, {
      // Of two texts, no key that is held or pressed once more chooses.
      save: (isHeld) => {
        if (this.#shown.kind === 'comparison') {
          this.#say('Choose above which of the two is saved.');
        } else if (!isHeld) void this.save();
      },
      upload: (files) => void this.#upload(files),
      look: () => void this.#look(),
      hasUnsaved: () => {
        this.#keep();
        return [...this.#files.values()].some(isDirty);
      },
    });
    this.#paint();
  }

  readonly #onDirty: (dirty: boolean) => void;

  /** The tab has come to the front, or the hosts are new: what is shown is what there is. */
  async refresh(): Promise<void> {
    await this.#tree.refresh();
    await this.#look();
  }

  focus(): void {
    if (this.#shown.kind === 'file') this.#shown.view.focus();
    else this.#tree.element.querySelector<HTMLElement>('[tabindex="0"]')?.focus();
  }

  /**
   * Shows a file, as it was left or as it is on the host.
   *
   * @param text what is put into it, to be saved or undone: a block of the page, with the values that it shows
   */
  async open(path: string, text?: string): Promise<void> {
    const known = this.#files.get(path);
    if (known && text === undefined) {
      this.#show(known);
      return await this.#look();
    }
    const read = await this.#tried(() => this.#api.read(path));
    if (!read) return;
    // The server has made the path whole.
    const file = this.#files.get(read.path) ?? this.#fileOf(read);
    this.#files.set(file.path, file);
    this.#show(file);
    this.focus();
    if (text !== undefined && read.writable && this.#shown.kind === 'file') {
      const { view } = this.#shown;
      const insert = withValues(text);
      if (view.state.sliceDoc() === insert) return;
      view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert } });
      this.#say(`The text of the page is in ${file.path}: save it, or undo it with Ctrl+Z.`);
    } else if (read.version === NONE)
      this.#say(`${file.path} is new. It is made when you save it.`);
    else if (!read.writable)
      this.#say(`${file.path} is not yours to write: use sudo in a terminal.`);
  }

  /** Saves the file that is shown, unless it has changed on the host since it was read. */
  async save(): Promise<void> {
    if (this.#shown.kind === 'nothing' || this.#saving) return;
    const { file } = this.#shown;
    const state = this.#shown.kind === 'file' ? this.#shown.view.state : this.#shown.view.b.state;
    this.#saving = true;
    const content = new Blob([state.sliceDoc()]);
    const answer = await this.#tried(() => this.#api.write(file.path, content, file.version));
    this.#saving = false;
    if (answer?.state === 'changed') await this.#tellChanged(file, answer);
    if (answer?.state !== 'saved') return;
    const wasNew = file.version === NONE;
    file.version = answer.version;
    file.saved = state.doc;
    if (this.#shown.kind === 'comparison' && this.#shown.file === file) {
      this.#rewrite(file, this.#shown.view.b.state.sliceDoc());
      this.focus();
    }
    this.#say(`${file.path} is saved.`);
    this.#paint();
    if (wasNew) await this.#tree.refresh();
  }

  /** Whether all may go: asks where something is not saved. */
  async mayClose(): Promise<boolean> {
    this.#keep();
    const dirty = [...this.#files.values()].filter(isDirty);
    const names = dirty.map(({ path }) => path).join(', ');
    return dirty.length === 0 || (await mayLose('Close the files?', `: ${names}`));
  }

  dispose(): void {
    this.#closed.abort();
    this.#clear();
    this.#root.replaceChildren();
  }

  #fileOf({ path, text, version, writable }: Awaited<ReturnType<FilesApi['read']>>): OpenFile {
    const state = this.#stateOf(path, text, writable);
    return { path, version, writable, saved: state.doc, state };
  }

  #stateOf(path: string, text: string, writable: boolean): EditorState {
    const label = `${path} on ${this.#host}`;
    return editorState(path, text, { label, onChange: writable ? () => this.#paint() : undefined });
  }

  /** The file's text becomes another one, as if it had just been opened. */
  #rewrite(file: OpenFile, text: string): void {
    this.#clear();
    file.state = this.#stateOf(file.path, text, file.writable);
    this.#show(file);
  }

  #show(file: OpenFile): void {
    if (this.#shown.kind === 'file' && this.#shown.file === file) return;
    this.#clear();
    const view = new EditorView({ state: file.state, parent: this.#body });
    this.#shown = { kind: 'file', file, view };
    this.#tree.mark(file.path);
    this.#say('');
    this.#paint();
  }

  /** What is in the editor stays with its file. */
  #keep(): void {
    const shown = this.#shown;
    if (shown.kind === 'file') shown.file.state = shown.view.state;
    if (shown.kind === 'comparison') {
      const text = shown.view.b.state.sliceDoc();
      shown.file.state = this.#stateOf(shown.file.path, text, shown.file.writable);
    }
  }

  #clear(): void {
    this.#keep();
    if (this.#shown.kind !== 'nothing') this.#shown.view.destroy();
    this.#shown = { kind: 'nothing' };
    this.#body.replaceChildren();
    this.#ways.hidden = true;
  }

  async #closeFile(): Promise<void> {
    if (this.#shown.kind === 'nothing') return;
    const { file } = this.#shown;
    this.#keep();
    if (isDirty(file) && !(await mayLose(`Close ${file.path}?`))) return;
    this.#forget(file);
    this.focus();
  }

  /** The file is open no more; where it was shown, another one is. */
  #forget(file: OpenFile): void {
    this.#files.delete(file.path);
    if (this.#shown.kind !== 'nothing' && this.#shown.file === file) {
      this.#clear();
      const next = [...this.#files.values()].at(-1);
      if (next) this.#show(next);
      this.#tree.mark(next?.path ?? '');
    }
    this.#paint();
  }

  /** Looks whether the file that is shown has changed on the host. */
  async #look(): Promise<void> {
    if (this.#shown.kind !== 'file' || this.#saving || this.#root.hidden) return;
    const { file, view } = this.#shown;
    const read = await this.#tried(() => this.#api.read(file.path));
    const isStill = this.#shown.kind === 'file' && this.#shown.file === file && !this.#saving;
    // A question that is open speaks of it already.
    const isAsked = document.querySelector('dialog[open]') !== null;
    if (!read || read.version === file.version || !isStill || isAsked) return;
    if (!view.state.doc.eq(file.saved)) {
      await this.#tellChanged(file, { state: 'changed', ...read });
      return;
    }
    file.version = read.version;
    this.#rewrite(file, read.text);
    file.saved = file.state.doc;
    this.#say(`${file.path} has changed on ${this.#host}; this is what it is now.`);
    this.#paint();
  }

  /** Somebody else has written the file: both texts side by side, and two ways out. */
  async #tellChanged(
    file: OpenFile,
    { version, text }: Extract<SavedView, { state: 'changed' }>,
  ): Promise<void> {
    if (version === NONE || text === undefined) {
      if (!(await mayReplace(file, this.#host, version === NONE))) return;
      file.version = version;
      this.#show(file);
      await this.save();
      return;
    }
    file.version = version;
    this.#clear();
    const compared = bothTexts(file, text, this.#host, {
      saveMine: () => void this.save(),
      takeTheirs: () => {
        this.#rewrite(file, text);
        file.saved = file.state.doc;
        this.#paint();
        this.focus();
      },
    });
    const { view } = compared;
    this.#body.append(view.dom);
    this.#shown = { kind: 'comparison', file, theirs: text, view };
    this.#ways.replaceChildren(...compared.ways);
    this.#ways.hidden = false;
    this.#say(`${file.path} has changed on ${this.#host}, and is not saved.`);
    this.#paint();
    view.b.focus();
  }

  async #upload(files: readonly File[]): Promise<void> {
    const { folder } = this.#tree;
    this.#say(await uploaded(files, { api: this.#api, host: this.#host, folder }));
    await this.#tree.refresh();
  }

  async #rename(): Promise<void> {
    const { row } = this.#tree;
    if (!row) return this.#say('Choose a file or a folder in the list first.');
    this.#keep();
    const to = await this.#tried(() => renamed(this.#api, row));
    if (to === undefined) return this.#tree.focus();
    const moved = [...this.#files.values()].filter(({ path }) => isWithin(path, row.path));
    for (const file of moved) this.#move(file, to + file.path.slice(row.path.length));
    await this.#leave(row.path, to);
    this.#say(`${row.path} is ${to} now.`);
  }

  async #remove(): Promise<void> {
    const { row } = this.#tree;
    if (!row) return this.#say('Choose a file or a folder in the list first.');
    this.#keep();
    const open = this.#files.values();
    const isGone = await this.#tried(() => removed(this.#api, row, open));
    if (!isGone) return this.#tree.focus();
    const gone = [...this.#files.values()].filter(({ path }) => isWithin(path, row.path));
    for (const file of gone) this.#forget(file);
    await this.#leave(row.path, undefined);
    this.#say(`${row.path} is deleted.`);
  }

  /** An open file has another path, and its text and what is not saved of it stay. */
  #move(file: OpenFile, path: string): void {
    const isShown = this.#shown.kind !== 'nothing' && this.#shown.file === file;
    if (isShown) this.#clear();
    this.#files.delete(file.path);
    file.path = path;
    file.state = this.#stateOf(path, file.state.sliceDoc(), file.writable);
    this.#files.set(path, file);
    if (isShown) this.#show(file);
  }

  /** The tree as it is once a file or a folder has another path, or none. */
  async #leave(path: string, to: string | undefined): Promise<void> {
    this.#tree.follow(path, to);
    await this.#tree.refresh();
    this.#tree.focus();
    this.#paint();
  }

  async #list(path: string): Promise<FolderView | undefined> {
    const view = await this.#tried(() => this.#api.list(path));
    if (view && !view.complete) this.#say(`Not all that is in ${path} is listed; use a terminal.`);
    return view;
  }

  async #tried<T>(work: () => Promise<T>): Promise<T | undefined> {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      this.#say(`${error.message} ${error.remedy}`);
      return undefined;
    }
  }

  #say(text: string): void {
    this.#status.textContent = text;
  }

  #paint(): void {
    const shown = this.#shown;
    const isDirtyNow = (file: OpenFile): boolean =>
      shown.kind === 'file' && shown.file === file
        ? !shown.view.state.doc.eq(file.saved)
        : isDirty(file);
    const files = [...this.#files.values()];
    this.#onDirty(files.some(isDirtyNow));
    this.#bar.paint(
      files.map((file) => ({ path: file.path, isDirty: isDirtyNow(file) })),
      shown.kind === 'nothing'
        ? undefined
        : {
            path: shown.file.path,
            canSave: shown.file.writable && shown.kind === 'file',
            address:
              shown.file.version === NONE ? undefined : this.#api.downloadUrl(shown.file.path),
          },
    );
    if (shown.kind !== 'nothing') return;
    const text =
      'Open a file in the list, or write a path above it. Drop files here to upload them.';
    this.#body.replaceChildren(element('p', { className: 'file-nothing' }, text));
  }
}
