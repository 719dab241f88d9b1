/** Who is at a browser: each browser that signs in becomes a learner of its own. */
export interface Learners {
  /**
   * Makes a learner. `secret` goes into the browser's cookie and is known nowhere else: whoever keeps learners keeps
   * only a hash of it.
   */
  create(): { readonly learner: string; readonly secret: string };
  /** The learner that a cookie's secret belongs to. */
  find(secret: string): string | undefined;
}
