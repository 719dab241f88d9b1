import type { Attention } from '#protocol';
import type { Size } from './shell-host.ts';
import type { Viewer } from './viewer.ts';

/**
 * The pages that look at one terminal, and whose size it has: that of the page that was used last. The others are told
 * and show it so.
 */
export class Viewers {
  readonly #viewers = new Set<Viewer>();
  readonly #resized: (size: Size) => void;
  #active: Viewer | undefined;
  #size: Size;

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
    if (viewer.attention === 'active' || !this.#active) this.lead(viewer);
  }

  /** @returns whether it was there */
  remove(viewer: Viewer): boolean {
    if (!this.#viewers.delete(viewer)) return false;
    if (this.#active === viewer) {
      this.#active = undefined;
      const next = [...this.#viewers].findLast((other) => other.attention !== 'hidden');
      if (next) this.lead(next);
    }
    return true;
  }

  /** Sends everybody home. @returns who was there */
  dismiss(): readonly Viewer[] {
    const all = [...this.#viewers];
    this.#viewers.clear();
    this.#active = undefined;
    return all;
  }

  attend(viewer: Viewer, attention: Attention): void {
    viewer.attention = attention;
    if (attention === 'active' || !this.#active) this.lead(viewer);
  }

  /** The size that this viewer would like: granted to the active one, remembered of the others. */
  wish(viewer: Viewer, size: Size): void {
    viewer.wish = size;
    if (!this.#active || this.#active.attention === 'hidden') this.lead(viewer);
    else if (this.#active === viewer) this.#apply(size);
  }

  /** This viewer is the one in use now. A hidden one takes it from nobody. */
  lead(viewer: Viewer): void {
    if (this.#active === viewer || (viewer.attention === 'hidden' && this.#active)) return;
    this.#active = viewer;
    if (viewer.wish) this.#apply(viewer.wish);
    this.#tell();
  }

  #apply(size: Size): void {
    if (size.cols === this.#size.cols && size.rows === this.#size.rows) return;
    this.#size = size;
    this.#resized(size);
    this.#tell();
  }

  #tell(): void {
    for (const viewer of this.#viewers) {
      viewer.listener.sized(this.#size, viewer === this.#active);
    }
  }
}
