import type { Attention } from '#protocol';
import type { Size } from './shell-host.ts';
import type { Viewer } from './viewer.ts';

/**
 * The pages that look at one terminal. It has the size of the page that was used last, the active one; the others show
 * it at that size.
 *
 * A change takes effect at once, and all that follow it within one turn of the event loop together at the next: a page
 * that sends sizes without end costs one size a turn.
 */
export class Viewers {
  readonly #viewers = new Set<Viewer>();
  readonly #resized: (size: Size) => void;
  #active: Viewer | undefined;
  #size: Size;
  #turn: NodeJS.Immediate | undefined;
  #hasChanged = false;

  /** @param resized called when the shell has to have another size */
  constructor(size: Size, resized: (size: Size) => void) {
    this.#size = size;
    this.#resized = resized;
  }

  get viewers(): ReadonlySet<Viewer> {
    return this.#viewers;
  }

  get size(): Size {
    return this.#size;
  }

  isActive(viewer: Viewer): boolean {
    return this.#active === viewer;
  }

  add(viewer: Viewer): void {
    this.#viewers.add(viewer);
    if (viewer.attention === 'active' || !this.#active) this.activate(viewer);
  }

  /** @returns whether it was there */
  remove(viewer: Viewer): boolean {
    if (!this.#viewers.delete(viewer)) return false;
    if (this.#active === viewer) {
      this.#active = undefined;
      const next = [...this.#viewers].findLast((other) => other.attention !== 'hidden');
      if (next) this.activate(next);
    }
    return true;
  }

  /** Removes all. @returns who was there */
  clear(): readonly Viewer[] {
    const all = [...this.#viewers];
    this.#viewers.clear();
    this.#active = undefined;
    clearImmediate(this.#turn);
    this.#turn = undefined;
    return all;
  }

  attend(viewer: Viewer, attention: Attention): void {
    viewer.attention = attention;
    if (attention === 'active' || !this.#active) this.activate(viewer);
  }

  /** The size that a page asks for: granted to the active one, remembered of the others. */
  request(viewer: Viewer, size: Size): void {
    viewer.requestedSize = size;
    if (!this.#active || this.#active.attention === 'hidden') this.activate(viewer);
    if (this.#active === viewer && !isSame(size, this.#size)) this.#change();
  }

  /** This page is the one in use now. A hidden one does not take that from another. */
  activate(viewer: Viewer): void {
    if (this.#active === viewer || (viewer.attention === 'hidden' && this.#active)) return;
    this.#active = viewer;
    this.#change();
  }

  #change(): void {
    this.#hasChanged = true;
    if (this.#turn) return;
    this.#settle();
    this.#turn = setImmediate(() => {
      this.#turn = undefined;
      if (this.#hasChanged) this.#change();
    });
  }

  #settle(): void {
    this.#hasChanged = false;
    const size = this.#active?.requestedSize;
    if (size && !isSame(size, this.#size)) {
      this.#size = size;
      this.#resized(size);
    }
    for (const viewer of this.#viewers) {
      viewer.listener.sized(this.#size, viewer === this.#active);
    }
  }
}

function isSame(one: Size, other: Size): boolean {
  return one.cols === other.cols && one.rows === other.rows;
}
